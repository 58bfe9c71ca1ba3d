//! Modbus requests as they come off the wire. Takes the bytes of any request at all; gives the
//! bytes of a valid answer: what was asked for, or an exception. (The library's server closes the
//! connection on what it can't decode; a PLC's engineer would rather read an exception code.)

/// Why a request can't be granted, by its code on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exception {
    /// No such function.
    Function = 1,
    /// No such address, or not to be written.
    Address = 2,
    /// A value that can't be.
    Value = 3,
}

/// What requests read and write. Every address that isn't there is an illegal one.
pub(super) trait Registers {
    fn read_words(&mut self, at: u16, count: u16) -> Result<Vec<u16>, Exception>;
    fn read_bits(&mut self, at: u16, count: u16) -> Result<Vec<bool>, Exception>;
    fn write_words(&mut self, at: u16, words: &[u16]) -> Result<(), Exception>;
}

/// The longest request or answer.
pub(super) const PDU_MAX: usize = 253;

const READ_COILS: u8 = 1;
const READ_DISCRETE_INPUTS: u8 = 2;
const READ_HOLDING_REGISTERS: u8 = 3;
const READ_INPUT_REGISTERS: u8 = 4;
const WRITE_COIL: u8 = 5;
const WRITE_REGISTER: u8 = 6;
const WRITE_COILS: u8 = 15;
const WRITE_REGISTERS: u8 = 16;
const READ_WRITE_REGISTERS: u8 = 23;

/// Most words that one request may read, write, and write while it reads.
const READ_MAX: u16 = 125;
const WRITE_MAX: u16 = 123;
const READ_WRITE_MAX: u16 = 121;
const BITS_MAX: u16 = 2000;

/// Answers `request`; whether it was granted, and the answer.
pub(super) fn answer(request: &[u8], registers: &mut dyn Registers) -> (bool, Vec<u8>) {
    let (function, body) = request.split_first().map_or((0, request), |(f, body)| (*f, body));
    match granted(function, body, registers) {
        Ok(answer) => (true, [&[function], &answer[..]].concat()),
        Err(exception) => (false, vec![function | 0x80, exception as u8]),
    }
}

fn granted(function: u8, body: &[u8], registers: &mut dyn Registers) -> Result<Vec<u8>, Exception> {
    match function {
        READ_COILS | READ_DISCRETE_INPUTS => {
            let [at, count] = words(body)?;
            within(count, BITS_MAX)?;
            counted(packed(&registers.read_bits(at, count)?))
        }
        READ_HOLDING_REGISTERS | READ_INPUT_REGISTERS => {
            let [at, count] = words(body)?;
            within(count, READ_MAX)?;
            counted(bytes(&registers.read_words(at, count)?))
        }
        WRITE_REGISTER => {
            let [at, value] = words(body)?;
            registers.write_words(at, &[value])?;
            Ok(body.to_vec())
        }
        WRITE_REGISTERS => {
            let (head, data) = body.split_at_checked(4).ok_or(Exception::Value)?;
            let [at, count] = words(head)?;
            registers.write_words(at, &payload(data, count, WRITE_MAX)?)?;
            Ok(head.to_vec())
        }
        READ_WRITE_REGISTERS => {
            let (head, data) = body.split_at_checked(8).ok_or(Exception::Value)?;
            let [read_at, read, write_at, write] = words(head)?;
            within(read, READ_MAX)?;
            let values = payload(data, write, READ_WRITE_MAX)?;
            registers.write_words(write_at, &values)?;
            counted(bytes(&registers.read_words(read_at, read)?))
        }
        // There are coils, and none that may be written.
        WRITE_COIL | WRITE_COILS => Err(Exception::Address),
        _ => Err(Exception::Function),
    }
}

/// Exactly `N` words.
fn words<const N: usize>(body: &[u8]) -> Result<[u16; N], Exception> {
    let words: Vec<u16> = body.chunks_exact(2).map(|b| u16::from_be_bytes([b[0], b[1]])).collect();
    if body.len() % 2 == 1 {
        Err(Exception::Value)
    } else {
        words.try_into().or(Err(Exception::Value))
    }
}

fn within(count: u16, most: u16) -> Result<(), Exception> {
    if (1..=most).contains(&count) { Ok(()) } else { Err(Exception::Value) }
}

/// `count` words behind a byte that says how many bytes they are.
fn payload(data: &[u8], count: u16, most: u16) -> Result<Vec<u16>, Exception> {
    within(count, most)?;
    let (said, data) = data.split_first().ok_or(Exception::Value)?;
    if usize::from(*said) != data.len() || data.len() != 2 * usize::from(count) {
        return Err(Exception::Value);
    }
    Ok(data.chunks_exact(2).map(|b| u16::from_be_bytes([b[0], b[1]])).collect())
}

fn bytes(words: &[u16]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn packed(bits: &[bool]) -> Vec<u8> {
    let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    bits.chunks(8).map(byte).collect()
}

/// Bytes behind their number.
fn counted(mut bytes: Vec<u8>) -> Result<Vec<u8>, Exception> {
    bytes.insert(0, u8::try_from(bytes.len()).or(Err(Exception::Value))?);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Words 10..20 may be written and read, bits 0..4 read.
    struct Ten([u16; 10]);

    fn place(at: u16, count: usize, places: std::ops::Range<usize>) -> Result<usize, Exception> {
        let at = usize::from(at);
        let fits = places.contains(&at) && at + count <= places.end;
        if fits { Ok(at - places.start) } else { Err(Exception::Address) }
    }

    impl Registers for Ten {
        fn read_words(&mut self, at: u16, count: u16) -> Result<Vec<u16>, Exception> {
            let at = place(at, count.into(), 10..20)?;
            Ok(self.0[at..at + usize::from(count)].to_vec())
        }
        fn read_bits(&mut self, at: u16, count: u16) -> Result<Vec<bool>, Exception> {
            place(at, count.into(), 0..4).map(|at| [true, false, true, true][at..].to_vec())
        }
        fn write_words(&mut self, at: u16, words: &[u16]) -> Result<(), Exception> {
            let at = place(at, words.len(), 10..20)?;
            self.0[at..at + words.len()].copy_from_slice(words);
            Ok(())
        }
    }

    fn ask(request: &[u8]) -> Vec<u8> {
        answer(request, &mut Ten([7; 10])).1
    }

    #[test]
    fn requests_are_answered_as_the_specification_says() {
        assert_eq!(ask(&[3, 0, 10, 0, 2]), [3, 4, 0, 7, 0, 7]);
        assert_eq!(ask(&[4, 0, 19, 0, 1]), [4, 2, 0, 7]);
        assert_eq!(ask(&[2, 0, 0, 0, 4]), [2, 1, 0b1101]);
        assert_eq!(ask(&[6, 0, 10, 1, 2]), [6, 0, 10, 1, 2]);
        assert_eq!(ask(&[16, 0, 10, 0, 1, 2, 9, 9]), [16, 0, 10, 0, 1]);
        let both = [23, 0, 10, 0, 1, 0, 10, 0, 1, 2, 1, 2];
        assert_eq!(ask(&both), [23, 2, 1, 2], "writes, then reads");
    }

    #[test]
    fn what_cannot_be_is_an_exception_that_says_why() {
        assert_eq!(ask(&[]), [0x80, 1]);
        assert_eq!(ask(&[0x2B, 0x0E, 1, 0]), [0xAB, 1], "no such function");
        assert_eq!(ask(&[3, 0, 19, 0, 2]), [0x83, 2], "beyond the end");
        assert_eq!(ask(&[3, 0xFF, 0xFF, 0, 2]), [0x83, 2], "beyond the last address");
        assert_eq!(ask(&[5, 0, 0, 0xFF, 0]), [0x85, 2], "not to be written");
        assert_eq!(ask(&[3, 0, 10, 0, 0]), [0x83, 3], "none");
        assert_eq!(ask(&[3, 0, 10, 0, 126]), [0x83, 3], "too many");
        assert_eq!(ask(&[3, 0, 10, 0]), [0x83, 3], "cut off");
        assert_eq!(ask(&[16, 0, 10, 0, 2, 2, 9, 9]), [0x90, 3], "fewer bytes than words");
    }

    proptest! {
        #[test]
        fn any_bytes_get_a_valid_answer(
            function in prop_oneof![1..24_u8, any::<u8>()],
            body in prop_oneof![
                (0..24_u16, 0..130_u16)
                    .prop_map(|(at, n)| [at.to_be_bytes(), n.to_be_bytes()].concat()),
                proptest::collection::vec(any::<u8>(), 0..PDU_MAX),
            ],
        ) {
            let request = [&[function], &body[..]].concat();
            let (is_granted, answer) = answer(&request, &mut Ten([7; 10]));
            prop_assert!(answer.len() <= PDU_MAX);
            if is_granted {
                prop_assert_eq!(answer[0], function);
                let is_read = matches!(function, 1..=4 | 23);
                prop_assert_eq!(answer.len(), if is_read { 2 + usize::from(answer[1]) } else { 5 });
            } else {
                prop_assert_eq!(answer[0], function | 0x80);
                prop_assert!(answer.len() == 2 && (1..=3).contains(&answer[1]));
            }
        }
    }
}
