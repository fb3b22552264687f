//! The layouts that come with the program, in the order a system grows.

/// A shipped layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shipped {
    /// Its name, which is that of its file in `layouts/` without the ending: `04-load-balancer`.
    pub file: &'static str,
    /// The text of the file.
    pub source: &'static str,
    /// The text of its script, `layouts/04-load-balancer.script.ron`, if it has one: what to do to it, and when.
    pub script: Option<&'static str>,
}

/// All shipped layouts, in the order of their numbers.
pub const SHIPPED: &[Shipped] = &[
    Shipped {
        file: "01-single-server",
        source: include_str!("../../layouts/01-single-server.ron"),
        script: None,
    },
    Shipped {
        file: "02-web-and-data-tier",
        source: include_str!("../../layouts/02-web-and-data-tier.ron"),
        script: None,
    },
    Shipped {
        file: "03-vertical-scaling",
        source: include_str!("../../layouts/03-vertical-scaling.ron"),
        script: None,
    },
    Shipped {
        file: "04-load-balancer",
        source: include_str!("../../layouts/04-load-balancer.ron"),
        script: None,
    },
    Shipped {
        file: "05-primary-replicas",
        source: include_str!("../../layouts/05-primary-replicas.ron"),
        script: Some(include_str!("../../layouts/05-primary-replicas.script.ron")),
    },
    Shipped {
        file: "06-multi-primary",
        source: include_str!("../../layouts/06-multi-primary.ron"),
        script: Some(include_str!("../../layouts/06-multi-primary.script.ron")),
    },
    Shipped {
        file: "07-circular-replication",
        source: include_str!("../../layouts/07-circular-replication.ron"),
        script: Some(include_str!("../../layouts/07-circular-replication.script.ron")),
    },
    Shipped {
        file: "08-cache",
        source: include_str!("../../layouts/08-cache.ron"),
        script: Some(include_str!("../../layouts/08-cache.script.ron")),
    },
    Shipped {
        file: "09-cdn",
        source: include_str!("../../layouts/09-cdn.ron"),
        script: Some(include_str!("../../layouts/09-cdn.script.ron")),
    },
    Shipped {
        file: "10-stateful-web",
        source: include_str!("../../layouts/10-stateful-web.ron"),
        script: Some(include_str!("../../layouts/10-stateful-web.script.ron")),
    },
    Shipped {
        file: "11-stateless-web",
        source: include_str!("../../layouts/11-stateless-web.ron"),
        script: Some(include_str!("../../layouts/11-stateless-web.script.ron")),
    },
    Shipped {
        file: "12-serverless",
        source: include_str!("../../layouts/12-serverless.ron"),
        script: Some(include_str!("../../layouts/12-serverless.script.ron")),
    },
    Shipped {
        file: "13-two-data-centers",
        source: include_str!("../../layouts/13-two-data-centers.ron"),
        script: Some(include_str!("../../layouts/13-two-data-centers.script.ron")),
    },
    Shipped {
        file: "14-message-queue",
        source: include_str!("../../layouts/14-message-queue.ron"),
        script: Some(include_str!("../../layouts/14-message-queue.script.ron")),
    },
    Shipped {
        file: "15-sharding",
        source: include_str!("../../layouts/15-sharding.ron"),
        script: Some(include_str!("../../layouts/15-sharding.script.ron")),
    },
    Shipped {
        file: "16-millions-of-users",
        source: include_str!("../../layouts/16-millions-of-users.ron"),
        script: Some(include_str!("../../layouts/16-millions-of-users.script.ron")),
    },
    Shipped {
        file: "20-retry-storm",
        source: include_str!("../../layouts/20-retry-storm.ron"),
        script: Some(include_str!("../../layouts/20-retry-storm.script.ron")),
    },
    Shipped {
        file: "21-split-brain",
        source: include_str!("../../layouts/21-split-brain.ron"),
        script: Some(include_str!("../../layouts/21-split-brain.script.ron")),
    },
    Shipped {
        file: "22-cache-stampede",
        source: include_str!("../../layouts/22-cache-stampede.ron"),
        script: Some(include_str!("../../layouts/22-cache-stampede.script.ron")),
    },
    Shipped {
        file: "23-poison-message",
        source: include_str!("../../layouts/23-poison-message.ron"),
        script: Some(include_str!("../../layouts/23-poison-message.script.ron")),
    },
    Shipped {
        file: "24-three-regions",
        source: include_str!("../../layouts/24-three-regions.ron"),
        script: Some(include_str!("../../layouts/24-three-regions.script.ron")),
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

    /// The name of the file of its script: `04-load-balancer.script.ron`.
    pub fn script_name(&self) -> String {
        format!("{}.script.ron", self.file)
    }
}

/// The shipped layout of this number (`04`, `4`), name (`04-load-balancer`) or file name (`04-load-balancer.ron`).
pub fn find_shipped(name: &str) -> Option<&'static Shipped> {
    let name = name.strip_suffix(".ron").unwrap_or(name);
    SHIPPED.iter().find(|shipped| {
        shipped.file == name || shipped.number() == name || shipped.number().trim_start_matches('0') == name
    })
}
