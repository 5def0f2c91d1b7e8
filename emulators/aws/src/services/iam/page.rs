use std::ops::Range;

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
    let page = range(params, items.len())?;
    let end = page.end;
    let mut xml = Xml::new();
    xml.element(name, |xml| {
        for item in &items[page] {
            xml.element("member", |xml| member(xml, item));
        }
    });
    write_end(&mut xml, end, items.len());
    Ok(xml)
}

/// Which of so many items `Marker` and `MaxItems` ask for.
pub(super) fn range(params: &Params, items: usize) -> Result<Range<usize>, Refusal> {
    let start = match params.get("Marker") {
        None => 0,
        Some(marker) => marker
            .parse::<usize>()
            .ok()
            .filter(|start| *start <= items)
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
    Ok(start..items.min(start + max))
}

/// What follows a page that ends before this one of so many items.
pub(super) fn write_end(xml: &mut Xml, end: usize, items: usize) {
    let more = end < items;
    xml.text("IsTruncated", if more { "true" } else { "false" });
    if more {
        xml.text("Marker", &end.to_string());
    }
}
