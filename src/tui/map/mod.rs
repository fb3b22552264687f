//! The map: a tiered template with the users on the left, data centers as frames in rows, and services as cards in columns.
//!
//! A plan is made once for a topology and a size; drawing walks it. A dead machine keeps its place.

mod card;
mod changes;
mod draw;
mod figures;
mod flow;
mod followed;
mod grid;
mod items;
mod layout;
mod messages;
mod outside;
mod roster;
mod route;
mod sites;
mod tiers;
mod within;

pub use card::ok_role;
pub use draw::{Scene, Window, draw};
pub use layout::{Card, Density, Plan, least_height, plan};
pub use roster::roster;
pub use route::Edge;
pub use sites::{are_several, has_entry, order as rows};
pub use within::within;
