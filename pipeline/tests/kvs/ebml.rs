//! The grammar of EBML, as its bytes come in: takes pieces of any size; gives heads of elements,
//! and whole ones once all of their bytes are there. Knows no Matroska but the names.

/// Names of elements, with their length marker, as they are written.
pub mod id {
    pub const EBML: u32 = 0x1A45_DFA3;
    pub const EBML_READ_VERSION: u32 = 0x42F7;
    pub const EBML_MAX_ID: u32 = 0x42F2;
    pub const EBML_MAX_SIZE: u32 = 0x42F3;
    pub const DOC_TYPE: u32 = 0x4282;
    pub const DOC_TYPE_READ_VERSION: u32 = 0x4285;
    pub const SEGMENT: u32 = 0x1853_8067;
    pub const INFO: u32 = 0x1549_A966;
    pub const TIMECODE_SCALE: u32 = 0x2A_D7B1;
    pub const TRACKS: u32 = 0x1654_AE6B;
    pub const TRACK_ENTRY: u32 = 0xAE;
    pub const TRACK_NUMBER: u32 = 0xD7;
    pub const TRACK_UID: u32 = 0x73C5;
    pub const TRACK_TYPE: u32 = 0x83;
    pub const CODEC_ID: u32 = 0x86;
    pub const CODEC_PRIVATE: u32 = 0x63A2;
    pub const DEFAULT_DURATION: u32 = 0x23_E383;
    pub const VIDEO: u32 = 0xE0;
    pub const PIXEL_WIDTH: u32 = 0xB0;
    pub const PIXEL_HEIGHT: u32 = 0xBA;
    pub const TAGS: u32 = 0x1254_C367;
    pub const TAG: u32 = 0x7373;
    pub const TARGETS: u32 = 0x63C0;
    pub const SIMPLE_TAG: u32 = 0x67C8;
    pub const TAG_NAME: u32 = 0x45A3;
    pub const TAG_STRING: u32 = 0x4487;
    pub const TAG_LANGUAGE: u32 = 0x447A;
    pub const TAG_DEFAULT: u32 = 0x4484;
    pub const CLUSTER: u32 = 0x1F43_B675;
    pub const TIMECODE: u32 = 0xE7;
    pub const POSITION: u32 = 0xA7;
    pub const PREV_SIZE: u32 = 0xAB;
    pub const SIMPLE_BLOCK: u32 = 0xA3;
}

/// What is wrong with the bytes.
pub type Bad = String;

/// Name and size of an element.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    pub id: u32,
    /// Of its content; `None` when it is unknown.
    pub size: Option<u64>,
    /// Of the head itself.
    pub len: usize,
}

impl Head {
    /// Size of the content; an error when it is unknown or above `most`.
    pub fn known(&self, most: u64) -> Result<usize, Bad> {
        match self.size {
            Some(size) if size <= most => Ok(usize::try_from(size).unwrap()),
            Some(size) => Err(format!("element {:X} of {size} bytes, at most {most}", self.id)),
            None => Err(format!("element {:X} of unknown size", self.id)),
        }
    }
}

/// Bytes that came and were not taken yet.
#[derive(Default)]
pub struct Reader {
    bytes: Vec<u8>,
    taken: usize,
}

impl Reader {
    pub fn push(&mut self, more: &[u8]) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(more);
    }

    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    /// The next head, once all of it is there.
    pub fn head(&self) -> Result<Option<Head>, Bad> {
        head(self.rest())
    }

    /// The next `len` bytes, once they are there.
    pub fn take(&mut self, len: usize) -> Option<Vec<u8>> {
        let taken = self.rest().get(..len)?.to_vec();
        self.taken += len;
        Some(taken)
    }
}

fn head(bytes: &[u8]) -> Result<Option<Head>, Bad> {
    let Some(&first) = bytes.first() else { return Ok(None) };
    let id_len = first.leading_zeros() as usize + 1;
    if id_len > 4 {
        return Err(format!("a name of an element begins with {first:#04X}"));
    }
    let Some(&mark) = bytes.get(id_len) else { return Ok(None) };
    let size_len = mark.leading_zeros() as usize + 1;
    if size_len > 8 {
        return Err("a size of an element begins with 0x00".to_owned());
    }
    let len = id_len + size_len;
    if bytes.len() < len {
        return Ok(None);
    }
    let id = u32::try_from(uint(&bytes[..id_len])?).unwrap();
    let ones = (1_u64 << (7 * size_len)) - 1;
    let size = uint(&bytes[id_len..len])? & ones;
    Ok(Some(Head { id, size: (size != ones).then_some(size), len }))
}

/// A number, big endian, of at most eight bytes.
pub fn uint(bytes: &[u8]) -> Result<u64, Bad> {
    if bytes.len() > 8 {
        return Err(format!("a number of {} bytes", bytes.len()));
    }
    Ok(bytes.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
}

/// A text, zeros at its end left out.
pub fn text(bytes: &[u8]) -> Result<String, Bad> {
    let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    String::from_utf8(bytes[..end].to_vec()).map_err(|_| "a text that is not UTF-8".to_owned())
}

/// The elements of a whole content.
pub fn children(mut content: &[u8]) -> Result<Vec<(u32, &[u8])>, Bad> {
    let mut found = Vec::new();
    while !content.is_empty() {
        let head = head(content)?.ok_or("an element is cut off")?;
        let size = head.known(u64::MAX >> 8)?;
        let end = head.len + size;
        let inner = content.get(head.len..end);
        found.push((head.id, inner.ok_or(format!("element {:X} is cut off", head.id))?));
        content = &content[end..];
    }
    Ok(found)
}

/// The one child of this name, if any; an error when there are several.
pub fn only<'a>(children: &[(u32, &'a [u8])], id: u32) -> Result<Option<&'a [u8]>, Bad> {
    let mut named = children.iter().filter(|(name, _)| *name == id);
    let first = named.next().map(|(_, content)| *content);
    match named.next() {
        Some(_) => Err(format!("element {id:X} twice in its parent")),
        None => Ok(first),
    }
}

/// The number in the one child of this name.
pub fn number(children: &[(u32, &[u8])], id: u32) -> Result<Option<u64>, Bad> {
    only(children, id)?.map(uint).transpose()
}
