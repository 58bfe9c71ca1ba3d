//! As much XML as annotation files have: takes text, gives elements with their text. Attributes,
//! comments and declarations are skipped; a document type is refused.

/// Deepest nesting that is read.
const DEPTH_MAX: usize = 32;

/// An element: its name, its text, the elements in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub name: String,
    pub text: String,
    pub children: Vec<Element>,
}

impl Element {
    /// The first element in it of that name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of that element, without space around it.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim())
    }
}

/// The outermost element.
pub(super) fn parse(text: &str) -> Result<Element, String> {
    let mut open = vec![Element::default()];
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let (before, tag) = rest.split_at(start);
        add_text(&mut open, &unescaped(before)?);
        rest = match tag {
            tag if tag.starts_with("<!--") => after(tag, "-->")?.1,
            tag if tag.starts_with("<?") => after(tag, "?>")?.1,
            tag if tag.starts_with("<![CDATA[") => {
                let (data, rest) = after(&tag[9..], "]]>")?;
                add_text(&mut open, data);
                rest
            }
            tag if tag.starts_with("<!") => return Err("a document type; there is none".into()),
            tag => {
                let (inside, rest) = after(&tag[1..], ">")?;
                element(&mut open, inside)?;
                rest
            }
        };
    }
    let outside = open.pop().filter(|_| open.is_empty()).ok_or("an element is not closed")?;
    outside.children.into_iter().next().ok_or_else(|| "there is no element".into())
}

fn element(open: &mut Vec<Element>, inside: &str) -> Result<(), String> {
    if let Some(name) = inside.strip_prefix('/') {
        let closed = open.pop().filter(|closed| closed.name == name.trim() && !open.is_empty());
        let closed = closed.ok_or_else(|| format!("`</{name}>` closes nothing"))?;
        return add(open, closed);
    }
    let name: String = inside.chars().take_while(|c| !c.is_whitespace() && *c != '/').collect();
    if name.is_empty() {
        return Err("a tag has no name".into());
    }
    let element = Element { name, ..Element::default() };
    if inside.ends_with('/') {
        return add(open, element);
    }
    if open.len() > DEPTH_MAX {
        return Err(format!("elements lie deeper than {DEPTH_MAX}"));
    }
    open.push(element);
    Ok(())
}

fn add(open: &mut [Element], element: Element) -> Result<(), String> {
    open.last_mut().ok_or("there is no element")?.children.push(element);
    Ok(())
}

fn add_text(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn after<'a>(text: &'a str, end: &str) -> Result<(&'a str, &'a str), String> {
    text.split_once(end).ok_or_else(|| format!("`{end}` is missing"))
}

fn unescaped(text: &str) -> Result<String, String> {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, entity)) = rest.split_once('&') {
        plain.push_str(before);
        let (entity, after) = after(entity, ";")?;
        plain.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            other => numbered(other).ok_or_else(|| format!("`&{other};` is no letter"))?,
        });
        rest = after;
    }
    plain.push_str(rest);
    Ok(plain)
}

fn numbered(entity: &str) -> Option<char> {
    let number = entity.strip_prefix('#')?;
    let code = match number.strip_prefix('x') {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    char::from_u32(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn annotations_are_read() {
        let text = "<?xml version=\"1.0\"?><!-- c --><a x=\"1\"><b/> <c >t &lt;&#252;&#x2f;\
                    <![CDATA[<&]]></c><c>2</c></a>\n";
        let root = parse(text).unwrap();
        assert_eq!((&*root.name, root.children.len()), ("a", 3));
        assert_eq!(root.text_of("c"), Some("t <ü/<&"));
        assert_eq!(root.text_of("b"), Some(""));
    }

    #[test]
    fn what_is_none_is_refused() {
        let deep = "<a>".repeat(40);
        let types = "<!DOCTYPE a [<!ENTITY b \"c\">]><a/>";
        for text in ["", "a", "<a>", "</a>", "<a></b>", "<a", "<a>&b;</a>", "<>", &deep, types] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}|[<>/!?a&;#x\\[\\]-]{0,30}") {
            let _ = parse(&text);
        }
    }
}
