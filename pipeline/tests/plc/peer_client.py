"""A PLC that is a Modbus client, by pymodbus: reads and writes the station's registers.

Takes the port as argument and commands on stdin, a line each; gives one JSON value a line on
stdout, after "ready". `collect N LAST` follows the ring as docs/plc.md says, until N verdicts.
"""

import json
import sys

try:
    from pymodbus.client import ModbusTcpClient
except ImportError:
    print("missing", flush=True)
    sys.exit(0)


def words(result):
    if result.isError():
        return {"exception": getattr(result, "exception_code", None)}
    return result.registers


def done(result):
    return {"exception": result.exception_code} if result.isError() else "done"


def collect(client, wanted, last):
    """Verdicts from the ring: [sequence, verdict, part, signal] each."""
    got = []
    while len(got) < wanted:
        sequence, *ring = words(client.read_input_registers(41, count=97))
        while last != sequence:
            last = (last + 1) % 65536
            slot = ring[6 * (last % 16) : 6 * (last % 16) + 6]
            if slot[0] != last:
                return {"missed": last, "found": slot[0]}
            got.append([last, slot[1], slot[2] << 16 | slot[3], slot[4]])
    return got


client = ModbusTcpClient("127.0.0.1", port=int(sys.argv[1]))
if not client.connect():
    sys.exit("no connection")
print("ready", flush=True)
for line in sys.stdin:
    name, *rest = line.split()
    numbers = [int(number) for number in rest]
    if name == "read":
        answer = words(client.read_input_registers(numbers[0], count=numbers[1]))
    elif name == "holding":
        answer = words(client.read_holding_registers(numbers[0], count=numbers[1]))
    elif name == "bits":
        result = client.read_discrete_inputs(numbers[0], count=numbers[1])
        answer = [int(bit) for bit in result.bits[: numbers[1]]]
    elif name == "write":
        answer = done(client.write_registers(numbers[0], numbers[1:]))
    elif name == "coil":
        answer = done(client.write_coil(numbers[0], True))
    elif name == "collect":
        answer = collect(client, numbers[0], numbers[1])
    print(json.dumps(answer), flush=True)
