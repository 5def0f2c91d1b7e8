use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, StructureStyle};

use super::{Entry, Kind, Node, Style, syntax};
use crate::{ScenarioError, Source, Span, Spanned};

/// The largest file that is read, in bytes.
const MAX_BYTES: usize = 1024 * 1024;
/// The most nodes a file may have, those that its aliases repeat included.
const MAX_NODES: usize = 20_000;
/// The deepest nesting.
const MAX_DEPTH: usize = 64;

/// Reads the one document of a file.
///
/// The tree is missing if the text is no YAML or beyond a bound; a tree may come together with errors (duplicate keys).
pub(crate) fn parse(source: &Source) -> (Option<Node>, Vec<ScenarioError>) {
    let text = source.text();
    if text.len() > MAX_BYTES {
        let error = ScenarioError::new("the file is too large", Span::default(), "more than 1 MiB from here on");
        return (
            None,
            vec![error.help("split the scenario: one file proves one sentence")],
        );
    }
    let mut builder = Builder {
        text,
        stack: Vec::new(),
        anchors: HashMap::new(),
        nodes: 0,
        documents: 0,
        root: None,
        errors: Vec::new(),
    };
    let options = granit_parser::options! {
        emit_comments: false,
        disallow_directives: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    for next in Parser::new_from_str_with_options(text, options) {
        let step = match next {
            Ok((event, span)) => builder.event(event, &span),
            Err(error) => Err(syntax::explain(source, &error).into()),
        };
        if let Err(error) = step {
            builder.errors.push(*error);
            return (None, builder.errors);
        }
    }
    (builder.root, builder.errors)
}

/// An error after which nothing more can be read.
type Fatal = Box<ScenarioError>;

struct Builder<'a> {
    text: &'a str,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Anchored>,
    nodes: usize,
    documents: usize,
    root: Option<Node>,
    errors: Vec<ScenarioError>,
}

/// A collection that is not closed yet.
struct Frame {
    start: usize,
    flow: bool,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        key: Option<Option<Spanned<String>>>,
    },
}

/// A finished node with an anchor, and what repeating it costs.
struct Anchored {
    node: Node,
    nodes: usize,
    depth: usize,
}

// === impl Builder ===

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, span: &granit_parser::Span) -> Result<(), Fatal> {
        let place = self.place(span);
        if let Some(tag) = span
            .tag_span()
            .or_else(|| span.tag_start().map(granit_parser::Span::empty))
        {
            let error = ScenarioError::new("tags are not part of the language", self.place(&tag), "a YAML tag");
            return Err(error
                .help("write the value without it: a word's shape says what is due")
                .into());
        }
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let error = ScenarioError::new("a second document in the file", place, "a second one begins here");
                    return Err(error
                        .help("one file is one scenario: put the second into a file of its own")
                        .into());
                }
            }
            Event::Scalar(text, style, anchor, _) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::Literal => Style::Literal,
                    _ => Style::Quoted,
                };
                let null = style == Style::Plain && matches!(&*text, "" | "~" | "null");
                let kind = if null {
                    Kind::Null
                } else {
                    Kind::Scalar {
                        text: text.into_owned(),
                        style,
                    }
                };
                let span = self.trim(place);
                self.count(1, &span)?;
                self.finish(Node { kind, span }, anchor);
            }
            Event::SequenceStart(style, anchor, _) => self.open(place, style, anchor, Content::List(Vec::new()))?,
            Event::MappingStart(style, anchor, _) => {
                self.open(
                    place,
                    style,
                    anchor,
                    Content::Map {
                        entries: Vec::new(),
                        key: None,
                    },
                )?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(&place),
            Event::Alias(id) => self.alias(id, place)?,
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, at: Span, style: StructureStyle, anchor: usize, content: Content) -> Result<(), Fatal> {
        self.count(1, &at)?;
        if self.stack.len() >= MAX_DEPTH {
            return Err(too_deep(at).into());
        }
        self.stack.push(Frame {
            start: at.start,
            flow: style == StructureStyle::Flow,
            anchor,
            content,
        });
        Ok(())
    }

    fn close(&mut self, at: &Span) {
        let Some(frame) = self.stack.pop() else { return };
        // The end of a block collection is only noticed at the next token, so it is taken from what is inside.
        let last = match &frame.content {
            Content::List(items) => items.last().map(|item| item.span.end),
            Content::Map { entries, .. } => entries.last().map(|entry| entry.span().end),
        };
        let end = if frame.flow {
            at.end
        } else {
            last.unwrap_or(frame.start)
        };
        let kind = match frame.content {
            Content::List(items) => Kind::List(items),
            Content::Map { entries, .. } => Kind::Map {
                entries,
                flow: frame.flow,
            },
        };
        let span = Span {
            start: frame.start,
            end: end.max(frame.start),
        };
        self.finish(Node { kind, span }, frame.anchor);
    }

    fn alias(&mut self, id: usize, at: Span) -> Result<(), Fatal> {
        let Some(anchored) = self.anchors.get(&id) else {
            let label = "repeats what it is part of";
            return Err(ScenarioError::new("an alias inside its own anchor", at, label).into());
        };
        if self.stack.len() + anchored.depth > MAX_DEPTH {
            return Err(too_deep(at).into());
        }
        let (nodes, kind) = (anchored.nodes, anchored.node.kind.clone());
        self.count(nodes, &at)?;
        self.finish(Node { kind, span: at }, 0);
        Ok(())
    }

    /// Hands a finished node to the collection it stands in.
    fn finish(&mut self, node: Node, anchor: usize) {
        if anchor > 0 {
            let (nodes, depth) = measure(&node);
            self.anchors.insert(
                anchor,
                Anchored {
                    node: node.clone(),
                    nodes,
                    depth,
                },
            );
        }
        match self.stack.last_mut().map(|frame| &mut frame.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { entries, key }) => match key.take() {
                None => {
                    let (name, error) = key_of(node);
                    *key = Some(name);
                    self.errors.extend(error);
                }
                Some(Some(name)) => match entries.iter().find(|entry| entry.key.value == name.value) {
                    None => entries.push(Entry { key: name, value: node }),
                    Some(first) => {
                        let title = format!("duplicate key `{}`", name.value);
                        let error = ScenarioError::new(title, name.span, "written again here");
                        self.errors
                            .push(error.other(first.key.span.clone(), "first written here"));
                    }
                },
                Some(None) => {}
            },
        }
    }

    fn count(&mut self, nodes: usize, at: &Span) -> Result<(), Fatal> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        let label = format!("more than {MAX_NODES} values from here on, repeated ones included");
        Err(ScenarioError::new("the file is too large", at.clone(), label).into())
    }

    fn place(&self, span: &granit_parser::Span) -> Span {
        let range = span.byte_range().unwrap_or_default();
        let end = range.end.min(self.text.len());
        Span {
            start: range.start.min(end),
            end,
        }
    }

    /// Without the line breaks that a block scalar's place ends with.
    fn trim(&self, span: Span) -> Span {
        let written = self.text.get(span.range()).unwrap_or_default();
        Span {
            start: span.start,
            end: span.start + written.trim_end().len(),
        }
    }
}

/// The name a key has, or the error that it is none.
fn key_of(node: Node) -> (Option<Spanned<String>>, Option<ScenarioError>) {
    match node.kind {
        Kind::Scalar {
            text,
            style: Style::Plain,
        } if text == "<<" => {
            let error = ScenarioError::new("merge keys are not part of the language", node.span, "a YAML merge key")
                .help("write the keys out, or repeat a whole value by an anchor and an alias");
            (None, Some(error))
        }
        Kind::Scalar { text, .. } => (Some(Spanned::new(text, node.span)), None),
        kind => {
            let node = Node { kind, span: node.span };
            let label = format!("expected text as a key, found {}", node.describe());
            (None, Some(ScenarioError::new("a key is not text", node.span, label)))
        }
    }
}

/// How many nodes a node has, and how many levels.
fn measure(node: &Node) -> (usize, usize) {
    let children: Vec<&Node> = match &node.kind {
        Kind::List(items) => items.iter().collect(),
        Kind::Map { entries, .. } => entries.iter().map(|entry| &entry.value).collect(),
        Kind::Null | Kind::Scalar { .. } => return (1, 0),
    };
    children
        .into_iter()
        .map(measure)
        .fold((1, 1), |(nodes, depth), (more, below)| {
            (nodes + more, depth.max(below + 1))
        })
}

fn too_deep(at: Span) -> ScenarioError {
    ScenarioError::new(
        "the file is nested too deeply",
        at,
        format!("deeper than {MAX_DEPTH} levels"),
    )
}
