//! What a system is: the schema of a layout file, its defaults, its validation with line and column.

mod check;
pub mod duration;
mod entry;
mod expect;
mod expect_text;
mod model;
mod parse;
mod raw;
mod shipped;
mod size;
pub(crate) mod source;
mod text;
mod validate;

pub use expect::{Comparison, Expectation, Measure, Quantifier};
pub use model::{
    Asks, Balance, DataCenter, Database, Distribution, Dns, HealthCheck, Host, Keys, Layout, LoadBalancer, Map,
    Network, Service, Users, Web,
};
pub use parse::{LayoutError, parse};
pub use shipped::{SHIPPED, Shipped, find_shipped};
pub use size::{SIZES, Size};
pub use text::{closest, printable};
pub(crate) use text::{parse_share, percent, suggestion};
