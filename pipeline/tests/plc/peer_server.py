"""A PLC that is a Modbus server, by pymodbus: 2000 holding registers and 16 coils.

Takes the port as argument and commands on stdin, a line each; gives one JSON value a line on
stdout, after "ready".
"""

import asyncio
import json
import socket
import sys
import threading
import time

try:
    from pymodbus import datastore
    from pymodbus.server import StartAsyncTcpServer
except ImportError:
    print("missing", flush=True)
    sys.exit(0)

PORT = int(sys.argv[1])
HOLDING, COILS = 3, 1


def context():
    """One device; its class and the keyword for it were renamed between 3.0 and 3.16."""
    blocks = {
        "hr": datastore.ModbusSequentialDataBlock(1, [0] * 2000),
        "co": datastore.ModbusSequentialDataBlock(1, [False] * 16),
    }
    if hasattr(datastore, "ModbusDeviceContext"):
        device = datastore.ModbusDeviceContext(**blocks)
        return device, datastore.ModbusServerContext(devices=device, single=True)
    device = datastore.ModbusSlaveContext(**blocks)
    return device, datastore.ModbusServerContext(slaves=device, single=True)


device, server = context()


def serve():
    asyncio.run(StartAsyncTcpServer(context=server, address=("127.0.0.1", PORT)))


def wait_until(done):
    """Or says why not: a test that waits for an answer would wait for ever."""
    for _ in range(6000):
        try:
            return done()
        except OSError as error:
            last = error
            time.sleep(0.01)
    print(f"port {PORT}: {last}", flush=True)
    sys.exit(1)


def bind():
    """A client that seeks a server which is not there may be given the server's own port, and meet itself."""
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", PORT))


wait_until(bind)
threading.Thread(target=serve, daemon=True).start()
wait_until(lambda: socket.create_connection(("127.0.0.1", PORT), timeout=1).close())
print("ready", flush=True)
for line in sys.stdin:
    name, *rest = line.split()
    numbers = [int(number) for number in rest]
    answer = "done"
    if name == "get":
        answer = device.getValues(HOLDING, numbers[0], count=numbers[1])
    elif name == "coils":
        answer = [int(bit) for bit in device.getValues(COILS, numbers[0], count=numbers[1])]
    elif name == "set":
        device.setValues(HOLDING, numbers[0], numbers[1:])
    print(json.dumps(answer), flush=True)
