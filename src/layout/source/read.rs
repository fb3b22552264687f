//! From the tree to types, through serde: every error knows the place and the path of the value that caused it.

use std::fmt::Display;

use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::path::{push_index, push_name};
use super::{Entry, Kind, Node, Problem};
use crate::layout::text::{printable, suggestion};

/// Fields that are often looked for one level above where they stand, with the field that holds them.
const DEEPER: [(&str, &str); 19] = [
    ("timeout", "calls"),
    ("retries", "calls"),
    ("budget", "calls"),
    ("breaker", "calls"),
    ("hedge", "calls"),
    ("mode", "replication"),
    ("reads", "replication"),
    ("read_your_writes", "replication"),
    ("failover", "replication"),
    ("recovery", "replication"),
    ("replace", "replication"),
    ("rule", "replication"),
    ("close", "replication"),
    ("after", "failover"),
    ("monitors", "failover"),
    ("fencing", "failover"),
    ("shards", "sharding"),
    ("by", "sharding"),
    ("virtual_nodes", "by"),
];

/// Reads a value of the tree as a type.
///
/// # Errors
/// The first thing that the type does not take: unknown or missing fields, wrong kinds of values, what a type's own reader refuses.
pub(crate) fn read<'de, T: Deserialize<'de>>(node: &'de Node) -> Result<T, Problem> {
    T::deserialize(Reader::of(node)).map_err(|misfit| {
        let mut words = String::new();
        for step in misfit.path.iter().rev() {
            match step {
                Step::Name(name) => push_name(&mut words, name),
                Step::Index(index) => push_index(&mut words, *index),
            }
        }
        Problem {
            offset: misfit.offset.unwrap_or(node.offset),
            path: words,
            message: misfit.message,
        }
    })
}

/// An error on its way up: the place is set by the innermost value that knows it, the path grows at every level.
#[derive(Debug)]
struct Misfit {
    offset: Option<usize>,
    /// From the innermost step outwards.
    path: Vec<Step>,
    message: String,
}

#[derive(Debug)]
enum Step {
    Name(String),
    Index(usize),
}

impl Misfit {
    fn at(mut self, offset: usize) -> Misfit {
        self.offset.get_or_insert(offset);
        self
    }

    fn below(mut self, step: Step) -> Misfit {
        self.path.push(step);
        self
    }
}

impl Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Misfit {}

impl serde::de::Error for Misfit {
    fn custom<T: Display>(message: T) -> Misfit {
        Misfit {
            offset: None,
            path: Vec::new(),
            message: message.to_string(),
        }
    }

    fn invalid_type(found: Unexpected, expected: &dyn Expected) -> Misfit {
        Misfit::custom(format!(
            "expected {}, found {}",
            expected_words(expected),
            found_words(found)
        ))
    }

    fn invalid_value(found: Unexpected, expected: &dyn Expected) -> Misfit {
        Misfit::invalid_type(found, expected)
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Misfit {
        Misfit::custom(format!("expected {}, found {length}", expected_words(expected)))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Misfit {
        let known = suggestion(variant, expected.iter().copied());
        Misfit::custom(format!("unknown kind `{}`{known}", printable(variant)))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Misfit {
        let mut deeper = DEEPER.iter().filter(|(name, _)| *name == field);
        let known = match deeper.find(|(_, below)| expected.contains(below)) {
            Some((_, below)) => format!("; it stands in `{below}`"),
            None => suggestion(field, expected.iter().copied()),
        };
        Misfit::custom(format!("unknown field `{}`{known}", printable(field)))
    }

    fn missing_field(field: &'static str) -> Misfit {
        Misfit::custom(format!("the field `{field}` is missing"))
    }
}

/// What serde calls a type, in the words of a layout.
fn expected_words(expected: &dyn Expected) -> String {
    let words = expected.to_string();
    match words.as_str() {
        "u32" => "a whole number from 0 to 4,294,967,295".to_owned(),
        "u64" => "a whole number, 0 or more".to_owned(),
        "f64" => "a number".to_owned(),
        "a string" => "a text in double quotes".to_owned(),
        "a map" => "names in braces, { \"name\": .. }".to_owned(),
        "a sequence" => "a list, [ .. ]".to_owned(),
        _ if words.starts_with("struct ") => "fields in parentheses, ( name: .. )".to_owned(),
        _ if words.starts_with("enum ") => "one of its kinds by name".to_owned(),
        _ if words.starts_with("tuple ") => match words.rsplit_once("with ") {
            Some((_, count)) => format!("{} in parentheses", count.replace("element", "value")),
            None => "values in parentheses".to_owned(),
        },
        _ => words,
    }
}

/// What stands in the file, in words.
fn found_words(found: Unexpected) -> String {
    match found {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(value) => format!("`{value}`"),
        Unexpected::Signed(value) => format!("`{value}`"),
        Unexpected::Float(value) => format!("`{value}`"),
        Unexpected::Str(text) => format!("the text \"{}\"", printable(text)),
        Unexpected::Unit | Unexpected::UnitVariant => "a name alone".to_owned(),
        Unexpected::Seq => "a list, [ .. ]".to_owned(),
        Unexpected::Map => "names in braces, { .. }".to_owned(),
        Unexpected::StructVariant => "fields in parentheses".to_owned(),
        Unexpected::TupleVariant | Unexpected::NewtypeVariant => "values in parentheses".to_owned(),
        Unexpected::Other(words) => words.to_owned(),
        other => other.to_string(),
    }
}

/// Gives one value of the tree to serde.
#[derive(Clone, Copy)]
struct Reader<'de> {
    node: &'de Node,
    /// The name before the parentheses was a variant's and has been read: `Web` in `Web(machines: 2)`.
    unwrapped: bool,
}

impl<'de> Reader<'de> {
    fn of(node: &'de Node) -> Self {
        Reader { node, unwrapped: false }
    }

    fn unexpected<V: Visitor<'de>>(self, visitor: &V) -> Misfit {
        let name;
        let found = match &self.node.kind {
            Kind::Text(text) => Unexpected::Str(text),
            Kind::Integer(number) => {
                name = format!("`{number}`");
                Unexpected::Other(&name)
            }
            Kind::Float(number) => Unexpected::Float(*number),
            Kind::Bool(value) => Unexpected::Bool(*value),
            Kind::Name(word) => {
                name = format!("the name `{word}`");
                Unexpected::Other(&name)
            }
            Kind::Struct { fields, .. } if fields.is_empty() => Unexpected::Other("empty parentheses"),
            Kind::Struct { .. } => Unexpected::StructVariant,
            Kind::Tuple { .. } => Unexpected::TupleVariant,
            Kind::List(_) => Unexpected::Seq,
            Kind::Map(_) => Unexpected::Map,
        };
        Misfit::invalid_type(found, visitor).at(self.node.offset)
    }
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Misfit;

    /// Plain values only; what has an inside is asked for by its kind.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let read: Result<_, Misfit> = match &self.node.kind {
            Kind::Text(text) => visitor.visit_borrowed_str(text),
            Kind::Bool(value) => visitor.visit_bool(*value),
            Kind::Float(number) => visitor.visit_f64(*number),
            Kind::Integer(number) => match (u64::try_from(*number), i64::try_from(*number)) {
                (Ok(number), _) => visitor.visit_u64(number),
                (_, Ok(number)) => visitor.visit_i64(number),
                _ => return Err(self.unexpected(&visitor)),
            },
            _ => return Err(self.unexpected(&visitor)),
        };
        read.map_err(|misfit| misfit.at(self.node.offset))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.node.kind {
            Kind::Name(name) if name == "None" => visitor.visit_none(),
            Kind::Tuple {
                name: Some(name),
                items,
            } if name == "Some" && items.len() == 1 => visitor.visit_some(Reader::of(&items[0])),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.node.kind {
            Kind::List(items) => visitor.visit_seq(Items::of(items, true)),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.node.kind {
            Kind::Map(entries) => visitor.visit_map(Entries::of(entries)),
            _ => Err(self.unexpected(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        wanted: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let Kind::Struct { name, fields } = &self.node.kind else {
            return Err(self.unexpected(&visitor));
        };
        if let Some(name) = name
            && name != wanted
            && !self.unwrapped
        {
            return Err(Misfit::custom(format!("expected `{wanted}`, found `{name}`")).at(self.node.offset));
        }
        visitor
            .visit_map(Entries::of(fields))
            .map_err(|misfit| misfit.at(self.node.offset))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match &self.node.kind {
            Kind::Name(name) | Kind::Struct { name: Some(name), .. } | Kind::Tuple { name: Some(name), .. } => {
                let variant = Variant { name, node: self.node };
                visitor
                    .visit_enum(variant)
                    .map_err(|misfit| misfit.at(self.node.offset))
            }
            _ => Err(self.unexpected(&visitor)),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple
        tuple_struct identifier
    }
}

struct Entries<'de> {
    left: std::slice::Iter<'de, Entry>,
    /// The entry whose key has been read.
    current: Option<&'de Entry>,
}

impl<'de> Entries<'de> {
    fn of(entries: &'de [Entry]) -> Self {
        Entries {
            left: entries.iter(),
            current: None,
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        self.current = self.left.next();
        let Some(entry) = self.current else { return Ok(None) };
        let key: StrDeserializer<'_, Misfit> = entry.key.as_str().into_deserializer();
        seed.deserialize(key)
            .map(Some)
            .map_err(|misfit| misfit.at(entry.offset))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let entry = self
            .current
            .ok_or_else(|| Misfit::custom("a value was asked for before its key"))?;
        seed.deserialize(Reader::of(&entry.value))
            .map_err(|misfit| misfit.at(entry.value.offset).below(Step::Name(entry.key.clone())))
    }
}

struct Items<'de> {
    left: std::slice::Iter<'de, Node>,
    /// The index of the next one.
    index: usize,
    /// Whether the index belongs into the path: in lists, not in `Slow("db", 10)`.
    counted: bool,
}

impl<'de> Items<'de> {
    fn of(items: &'de [Node], counted: bool) -> Self {
        Items {
            left: items.iter(),
            index: 0,
            counted,
        }
    }
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        let Some(item) = self.left.next() else { return Ok(None) };
        let index = self.index;
        self.index += 1;
        seed.deserialize(Reader::of(item)).map(Some).map_err(|misfit| {
            let misfit = misfit.at(item.offset);
            if self.counted {
                misfit.below(Step::Index(index))
            } else {
                misfit
            }
        })
    }
}

#[derive(Clone, Copy)]
struct Variant<'de> {
    name: &'de str,
    node: &'de Node,
}

impl Variant<'_> {
    fn takes(self, what: &str) -> Misfit {
        Misfit::custom(format!("`{}` takes {what}", self.name)).at(self.node.offset)
    }
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Misfit;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Misfit> {
        let name: StrDeserializer<'_, Misfit> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        match self.node.kind {
            Kind::Name(_) => Ok(()),
            _ => Err(self.takes("nothing in parentheses")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Misfit> {
        match &self.node.kind {
            Kind::Tuple { items, .. } if items.len() == 1 => seed
                .deserialize(Reader::of(&items[0]))
                .map_err(|misfit| misfit.at(items[0].offset)),
            Kind::Struct { .. } => seed.deserialize(Reader {
                node: self.node,
                unwrapped: true,
            }),
            Kind::Tuple { items, .. } => Err(self.takes(&format!("one value in parentheses, found {}", items.len()))),
            _ => Err(self.takes("a value in parentheses")),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, count: usize, visitor: V) -> Result<V::Value, Misfit> {
        match &self.node.kind {
            Kind::Tuple { items, .. } if items.len() == count => visitor.visit_seq(Items::of(items, false)),
            Kind::Tuple { items, .. } => {
                Err(self.takes(&format!("{count} values in parentheses, found {}", items.len())))
            }
            _ => Err(self.takes(&format!("{count} values in parentheses"))),
        }
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Misfit> {
        match &self.node.kind {
            Kind::Struct { fields, .. } => visitor.visit_map(Entries::of(fields)),
            _ => Err(self.takes("fields in parentheses, ( name: .. )")),
        }
    }
}
