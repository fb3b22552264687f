//! What a run came to, as text for people and JSON for programs, its seconds as CSV, and a document of it as Markdown and as HTML.
//!
//! The JSON of runs has the schema `blastradius.run/1`, that of cache policies over a trace `blastradius.cache/1`; `docs/run-json.md` and
//! `docs/cache-json.md` describe every field. Fields may be added under this name;
//! none is renamed, removed or given another meaning without another name. Equal runs give equal bytes.

pub mod blast;
mod build;
mod caches;
pub mod capacity;
mod compare;
mod csv;
mod data;
mod document;
mod farewell;
mod html;
mod markdown;
mod miss_ratio;
mod model;
mod queues;
pub mod search;
mod seconds;
mod sections;
mod shell;
mod sites;
mod table;
mod text;
mod tiers;
mod words;

pub use blast::{AvailabilityReport, BlastReport, FailureReport, TollReport, UndisturbedReport};
pub use caches::{CacheCounts, CacheNodeReport, CacheReport};
pub use capacity::CapacityReport;
pub use compare::{Compared, Comparison, compared};
pub use csv::csv;
pub use data::{ConflictReport, DatabaseReport, MigrationReport, NodeReport, PromisesReport, ShardReport};
pub use document::Document;
pub use farewell::summary;
pub use html::html;
pub use markdown::markdown;
pub use miss_ratio::{MissRatioReport, PolicyReport, SizeReport, TraceReport};
pub use model::{
    AutoscalerReport, Backend, Balancer, CallsReport, Commanded, Cost, DataCenterReport, Event, ExpectationReport,
    Failure, HeldSessions, IncidentReport, InstanceReport, Latency, LayoutName, MilestoneReport, Refused, Report,
    Requests, ServerlessReport, ServiceReport, Sessions, UnreachedReport,
};
pub use queues::{
    JobsReport, KindReport, MessageReport, PublisherReport, QueueCounts, QueueReport, SubscriberReport, WorkersReport,
};
pub use search::SearchReport;
pub use seconds::{Seconds, between};
pub use shell::{operand, quoted};
pub use text::to_text;
