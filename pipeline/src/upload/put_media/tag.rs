//! Gives the Matroska element that says that a fragment is complete, so that the service need not
//! wait for the next one to know.

/// `Tags` with one `Tag` with one `SimpleTag`, `AWS_KINESISVIDEO_END_OF_FRAGMENT`, without a value.
pub fn end_of_fragment_tag() -> Vec<u8> {
    let name = element(&[0x45, 0xA3], b"AWS_KINESISVIDEO_END_OF_FRAGMENT");
    let value = element(&[0x44, 0x87], b"");
    let simple_tag = element(&[0x67, 0xC8], &[name, value].concat());
    element(&[0x12, 0x54, 0xC3, 0x67], &element(&[0x73, 0x73], &simple_tag))
}

/// An element of less than 127 bytes: its id, its size in one byte, what is in it.
fn element(id: &[u8], inside: &[u8]) -> Vec<u8> {
    let size = u8::try_from(inside.len()).unwrap_or(126).min(126);
    [id, &[0x80 | size], inside].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_is_what_the_official_producer_sends() {
        let tag = end_of_fragment_tag();
        assert_eq!(tag.len(), 49);
        assert_eq!(tag[..5], [0x12, 0x54, 0xC3, 0x67, 0x80 | 44]);
        assert_eq!(tag[5..11], [0x73, 0x73, 0x80 | 41, 0x67, 0xC8, 0x80 | 38]);
        assert_eq!(tag[46..], [0x44, 0x87, 0x80]);
    }
}
