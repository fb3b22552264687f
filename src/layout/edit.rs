//! Changes of a layout's text: what was not touched stays as it was written, comments too.

use super::model::Layout;
use super::parse::{LARGEST_FILE, LayoutError, parse};
use super::source::{self, Entry, Kind, Node};
use super::text::closest;

/// How the file of a changed layout is called in errors.
const FILE: &str = "the changed layout";

/// A change of a layout's text. Paths are names of fields and keys from the top of the file, as in `["services", "web", "machines"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Gives what a path leads to this value, in RON. What was not given so far is added behind its neighbours.
    Put(Vec<String>, String),
    /// Takes out what a path leads to, if it is there: a default takes its place.
    Cut(Vec<String>),
}

impl Layout {
    /// The layout with its text changed, one change after another, read and checked like any other.
    ///
    /// # Errors
    /// What is wrong with the changed text, or where there is nothing that could be changed.
    pub fn edited(&self, edits: &[Edit]) -> Result<Layout, LayoutError> {
        let mut text = self.source.text().to_owned();
        for edit in edits {
            text = edited(&text, edit).map_err(|message| LayoutError {
                file: FILE.to_owned(),
                line: 1,
                column: 1,
                message,
            })?;
        }
        let mut layout = parse(&text, FILE)?;
        if let Some(trace) = &self.trace {
            layout = layout.with_trace(std::sync::Arc::clone(trace));
        }
        Ok(layout)
    }

    /// The path to the services of a data center.
    pub fn path_to_services(&self, site: &str) -> Vec<String> {
        let at_top = source::scan(self.source.text(), LARGEST_FILE).is_ok_and(|root| root.entry("services").is_some());
        if at_top {
            vec!["services".to_owned()]
        } else {
            ["data_centers", site, "services"].map(str::to_owned).to_vec()
        }
    }

    /// The path to a service of a data center; a database of several data centers stands apart.
    pub fn path_to_service(&self, site: &str, name: &str) -> Vec<String> {
        let spread = self.databases.get(name).is_some_and(|nodes| nodes.contains_key(site));
        let mut path = if spread {
            vec!["databases".to_owned()]
        } else {
            self.path_to_services(site)
        };
        path.push(name.to_owned());
        path
    }
}

/// The kinds of services, as they are written in a layout.
pub const KINDS: [&str; 8] = [
    "LoadBalancer",
    "Web",
    "Serverless",
    "SessionStore",
    "Database",
    "Cache",
    "Queue",
    "Consumer",
];

/// A service in RON from what a person types: a kind alone gets its parentheses, and small letters are as good (`cache`, `load-balancer(to: "web")`).
///
/// # Errors
/// In words: an unknown kind.
pub fn service_text(typed: &str) -> Result<String, String> {
    let typed = typed.trim();
    let end = typed.find('(').unwrap_or(typed.len());
    let (kind, rest) = typed.split_at(end);
    let plain = |word: &str| word.trim().replace(['-', '_', ' '], "").to_lowercase();
    let known = KINDS.iter().find(|known| plain(known) == plain(kind));
    let Some(known) = known else {
        let meant = closest(kind.trim(), KINDS).map_or_else(
            || format!("; there are {}", KINDS.join(", ")),
            |meant| format!("; did you mean `{meant}`?"),
        );
        return Err(format!(
            "unknown kind of service `{}`{meant}",
            super::printable(kind.trim())
        ));
    };
    let text = format!("{known}{}", if rest.is_empty() { "()" } else { rest });
    // One value, and nothing behind it.
    match source::scan(&text, LARGEST_FILE) {
        Ok(_) => Ok(text),
        Err(problem) => Err(format!("{}: {}", super::printable(&text), problem.text())),
    }
}

fn edited(text: &str, edit: &Edit) -> Result<String, String> {
    let root = source::scan(text, LARGEST_FILE).map_err(|problem| problem.text())?;
    match edit {
        Edit::Put(path, value) => put(text, &root, path, value),
        Edit::Cut(path) => Ok(cut(text, &root, path)),
    }
}

/// What stands between the brackets of a struct or a map, and where it begins and ends.
struct Inside<'a> {
    entries: &'a [Entry],
    /// Whether the keys are texts.
    map: bool,
    /// Behind the opening bracket; `None` of a name without brackets.
    open: Option<usize>,
    end: usize,
}

fn inside<'a>(text: &str, node: &'a Node) -> Option<Inside<'a>> {
    let open = |bracket: char| text[node.offset..node.end].find(bracket).map(|at| node.offset + at + 1);
    match &node.kind {
        Kind::Struct { fields, .. } => Some(Inside {
            entries: fields,
            map: false,
            open: open('('),
            end: node.end,
        }),
        Kind::Map(entries) => Some(Inside {
            entries,
            map: true,
            open: open('{'),
            end: node.end,
        }),
        Kind::Name(_) => Some(Inside {
            entries: &[],
            map: false,
            open: None,
            end: node.end,
        }),
        Kind::Tuple { items, .. } if items.len() == 1 => inside(text, &items[0]),
        _ => None,
    }
}

fn put(text: &str, root: &Node, path: &[String], value: &str) -> Result<String, String> {
    let mut node = root;
    for (depth, name) in path.iter().enumerate() {
        if let Some(entry) = node.entry(name) {
            node = &entry.value;
            continue;
        }
        let within = inside(text, node).ok_or_else(|| format!("{} holds no fields", path[..depth].join(".")))?;
        // What is missing on the way is made with it.
        let mut whole = value.to_owned();
        for (below, name) in path.iter().enumerate().skip(depth + 1).rev() {
            whole = if is_map(path, below) {
                format!("{{{}: {whole}}}", quoted(name))
            } else {
                format!("({name}: {whole})")
            };
        }
        return Ok(added(text, &within, name, &whole));
    }
    Ok(format!("{}{value}{}", &text[..node.offset], &text[node.end..]))
}

/// Whether the keys at this depth of a path are names that people give.
fn is_map(path: &[String], depth: usize) -> bool {
    let maps = ["services", "data_centers", "databases", "users", "hosts", "cdns"];
    let word = |at: usize| path.get(at).map_or("", String::as_str);
    match depth {
        1 => maps.contains(&word(0)),
        3 if word(0) == "data_centers" => ["services", "hosts"].contains(&word(2)),
        // Those who call several services say of each how: `calls: {"db": (retries: 3)}`.
        _ => word(depth - 1) == "calls" && path.len() == depth + 2,
    }
}

fn quoted(name: &str) -> String {
    format!("{name:?}")
}

/// The text with one more entry, behind the last one and on a line of its own if that has one.
fn added(text: &str, within: &Inside, name: &str, value: &str) -> String {
    let key = if within.map { quoted(name) } else { name.to_owned() };
    let Some(open) = within.open else {
        return format!("{}({key}: {value}){}", &text[..within.end], &text[within.end..]);
    };
    let Some(last) = within.entries.last() else {
        return format!("{}{key}: {value}{}", &text[..open], &text[open..]);
    };
    let line = text[..last.offset].rfind('\n').map_or(0, |at| at + 1);
    let indent = &text[line..last.offset];
    if !indent.trim().is_empty() || line < open {
        return format!("{}, {key}: {value}{}", &text[..last.value.end], &text[last.value.end..]);
    }
    let comma = source::blanks(text, last.value.end) - last.value.end;
    if !text[last.value.end + comma..].starts_with(',') {
        let end = last.value.end;
        return format!("{},\n{indent}{key}: {value},{}", &text[..end], &text[end..]);
    }
    // A comment behind the comma stays on its line.
    let after = last.value.end + comma + 1;
    let rest = text[after..].split('\n').next().unwrap_or_default();
    let end = match rest.trim_start() {
        "" => after,
        comment if comment.starts_with("//") => after + rest.len(),
        _ => after,
    };
    format!("{}\n{indent}{key}: {value},{}", &text[..end], &text[end..])
}

/// The text without an entry; its line goes with it if nothing else stands there.
fn cut(text: &str, root: &Node, path: &[String]) -> String {
    let mut node = root;
    let mut place: Option<(usize, usize)> = None;
    for name in path {
        let index = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        if let Some(item) = index.and_then(|index| node.item(index.parse().ok()?)) {
            node = item;
            place = Some((item.offset, item.end));
        } else if let Some(entry) = node.entry(name) {
            node = &entry.value;
            place = Some((entry.offset, entry.value.end));
        } else {
            return text.to_owned();
        }
    }
    let Some((offset, value_end)) = place else {
        return text.to_owned();
    };
    let comma = source::blanks(text, value_end);
    let is_last = !text[comma..].starts_with(',');
    let end = if is_last { value_end } else { comma + 1 };
    let line = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let alone = text[line..offset].trim().is_empty();
    let rest = text[end..].split('\n').next().unwrap_or_default();
    let is_rest_empty = rest.trim().is_empty() || rest.trim_start().starts_with("//");
    if alone && is_rest_empty && end + rest.len() < text.len() {
        return format!("{}{}", &text[..line], &text[end + rest.len() + 1..]);
    }
    let spaces = rest.len() - rest.trim_start().len();
    let before = &text[..offset];
    // Behind the last one of a line stands no comma.
    let kept = before.trim_end().strip_suffix(',').filter(|_| is_last && !alone);
    match kept {
        Some(kept) => format!("{kept}{}", &text[end..]),
        None => format!("{before}{}", &text[end + spaces..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{SHIPPED, Service};

    fn layout(source: &str) -> Layout {
        parse(source, "test.ron").unwrap_or_else(|error| panic!("{error}"))
    }

    fn path(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    const SHOP: &str = r#"(
    title: "Shop", // the title
    users: { "people": (count: 10) },
    services: {
        // Pages.
        "web": Web(database: "db"), // made here
        "db": Database(),
    },
)
"#;

    #[test]
    fn what_is_not_touched_stays_as_it_was_written() {
        let added = layout(SHOP)
            .edited(&[Edit::Put(path(&["services", "cache"]), "Cache(machines: 2)".to_owned())])
            .unwrap();
        let expected = SHOP.replace(
            "        \"db\": Database(),\n",
            "        \"db\": Database(),\n        \"cache\": Cache(machines: 2),\n",
        );
        assert_eq!(added.source.text(), expected);
        assert!(matches!(added.data_centers["dc"].services["cache"], Service::Cache(_)));
        let connected = added
            .edited(&[Edit::Put(path(&["services", "web", "cache"]), "\"cache\"".to_owned())])
            .unwrap();
        assert!(
            connected
                .source
                .text()
                .contains(r#"Web(database: "db", cache: "cache"), // made here"#)
        );
        // And back again, to the letter.
        let back = connected
            .edited(&[
                Edit::Cut(path(&["services", "web", "cache"])),
                Edit::Cut(path(&["services", "cache"])),
            ])
            .unwrap();
        assert_eq!(back.source.text(), SHOP);
        assert_eq!(back, layout(SHOP));
    }

    #[test]
    fn what_is_missing_on_the_way_is_made() {
        let shop = layout(SHOP);
        let calls = path(&["services", "web", "calls", "db", "retries"]);
        let edited = shop.edited(&[Edit::Put(calls, "3".to_owned())]).unwrap();
        assert!(
            edited.source.text().contains(r#"calls: {"db": (retries: 3)}"#),
            "{}",
            edited.source.text()
        );
        let edited = shop
            .edited(&[Edit::Put(path(&["dns", "ttl"]), "\"5s\"".to_owned())])
            .unwrap();
        assert_eq!(edited.dns.ttl, std::time::Duration::from_secs(5));
        let sized = shop.edited(&[Edit::Put(path(&["services", "db", "size"]), "\"l\"".to_owned())]);
        assert!(sized.unwrap().source.text().contains(r#"Database(size: "l")"#));
    }

    #[test]
    fn a_change_that_makes_no_sense_is_refused_with_its_reason() {
        let error = layout(SHOP)
            .edited(&[Edit::Cut(path(&["services", "db"]))])
            .unwrap_err();
        assert!(error.message.contains("db"), "{error}");
        let path = path(&["services", "web", "database", "x"]);
        assert!(layout(SHOP).edited(&[Edit::Put(path, "1".to_owned())]).is_err());
    }

    #[test]
    fn a_service_can_be_put_into_every_shipped_layout_and_taken_out_again() {
        for shipped in SHIPPED {
            let before = layout(shipped.source);
            for site in before.data_centers.keys() {
                let mut path = before.path_to_services(site);
                path.push("one-more".to_owned());
                let put = Edit::Put(path.clone(), "Cache()".to_owned());
                let more = before
                    .edited(&[put])
                    .unwrap_or_else(|error| panic!("{}: {error}", shipped.file));
                assert!(more.data_centers[site].services.contains_key("one-more"));
                let back = more.edited(&[Edit::Cut(path)]).unwrap();
                assert_eq!(back.source.text(), shipped.source, "{}", shipped.file);
            }
        }
    }

    #[test]
    fn comments_are_no_obstacle_and_names_no_keywords() {
        let source = r#"(title: "x", users: {"people": (count: 10)}, services: {
            "web": Web(database: "users"),
            "users": Database() /* of people */,
            "c": Cache() /* spare */,
        })"#;
        let layout = layout(source);
        let added = layout
            .edited(&[Edit::Put(path(&["services", "d"]), "Cache()".to_owned())])
            .unwrap();
        assert!(added.data_centers["dc"].services.contains_key("d"));
        let gone = added.edited(&[Edit::Cut(path(&["services", "c"]))]).unwrap();
        assert!(!gone.source.text().contains("spare") && gone.data_centers["dc"].services.len() == 3);
        let calls = path(&["services", "web", "calls", "users", "retries"]);
        let set = layout.edited(&[Edit::Put(calls, "4".to_owned())]).unwrap();
        assert!(
            set.source.text().contains(r#"calls: {"users": (retries: 4)}"#),
            "{}",
            set.source.text()
        );
        assert!(service_text(r#"Cache(), "y": Cache()"#).is_err());
    }

    #[test]
    fn kinds_may_be_typed_in_small_letters() {
        assert_eq!(service_text("cache").unwrap(), "Cache()");
        assert_eq!(
            service_text("load-balancer(to: \"web\")").unwrap(),
            "LoadBalancer(to: \"web\")"
        );
        assert!(service_text("chache").unwrap_err().contains("did you mean `Cache`?"));
    }
}
