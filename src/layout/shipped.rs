//! The layouts that come with the program, in the order a system grows.

/// A shipped layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shipped {
    /// Its name, which is that of its file in `layouts/` without the ending: `04-load-balancer`.
    pub file: &'static str,
    /// The text of the file.
    pub source: &'static str,
}

/// All shipped layouts, in the order of their numbers.
pub const SHIPPED: &[Shipped] = &[
    Shipped {
        file: "01-single-server",
        source: include_str!("../../layouts/01-single-server.ron"),
    },
    Shipped {
        file: "02-web-and-data-tier",
        source: include_str!("../../layouts/02-web-and-data-tier.ron"),
    },
    Shipped {
        file: "03-vertical-scaling",
        source: include_str!("../../layouts/03-vertical-scaling.ron"),
    },
    Shipped {
        file: "04-load-balancer",
        source: include_str!("../../layouts/04-load-balancer.ron"),
    },
];

impl Shipped {
    /// Its number: `04`.
    pub fn number(&self) -> &'static str {
        self.file.split_once('-').map_or(self.file, |(number, _)| number)
    }

    /// Its file's name with the ending: `04-load-balancer.ron`.
    pub fn file_name(&self) -> String {
        format!("{}.ron", self.file)
    }
}

/// The shipped layout of this number (`04`, `4`), name (`04-load-balancer`) or file name (`04-load-balancer.ron`).
pub fn find_shipped(name: &str) -> Option<&'static Shipped> {
    let name = name.strip_suffix(".ron").unwrap_or(name);
    SHIPPED.iter().find(|shipped| {
        shipped.file == name || shipped.number() == name || shipped.number().trim_start_matches('0') == name
    })
}
