use crate::{
    answer::{Refusal, Xml},
    params::Params,
};

/// Items of a page if the caller asks for no number of them.
const DEFAULT: usize = 100;

/// Writes a list in pages: `<NAME>` with a `<member>` an item, `<IsTruncated>` and, if there is more, `<Marker>`.
pub(super) fn write<T>(
    params: &Params,
    name: &str,
    items: &[T],
    member: impl Fn(&mut Xml, &T),
) -> Result<Xml, Refusal> {
    let start = match params.get("Marker") {
        None => 0,
        Some(marker) => marker
            .parse::<usize>()
            .ok()
            .filter(|start| *start <= items.len())
            .ok_or_else(|| Refusal::validation(format!("Invalid Marker: {marker}")))?,
    };
    let max = match params.number("MaxItems")? {
        None => DEFAULT,
        Some(max @ 1..=1000) => max as usize,
        Some(max) => {
            return Err(Refusal::validation(format!(
                "1 validation error detected: Value '{max}' at 'maxItems' failed to satisfy constraint: Member must have \
                 value between 1 and 1000"
            )));
        }
    };
    let end = items.len().min(start + max);
    let mut xml = Xml::new();
    xml.element(name, |xml| {
        for item in &items[start..end] {
            xml.element("member", |xml| member(xml, item));
        }
    });
    let more = end < items.len();
    xml.text("IsTruncated", if more { "true" } else { "false" });
    if more {
        xml.text("Marker", &end.to_string());
    }
    Ok(xml)
}
