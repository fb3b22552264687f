//! The layout as it stands in the file: one struct for each struct of RON, with its defaults and the checks of its own values.
//! What involves several of them (references, names, totals) is checked in `validate`.

mod autoscaler;
mod cache;
mod consumer;
mod database;
mod databases;
mod delivery;
mod experiments;
mod load_balancer;
mod network;
mod pages;
mod policies;
mod queue;
mod replication;
mod serverless;
mod session_store;
mod sharding;
#[cfg(test)]
mod tests;
mod users;
mod values;
mod web;
mod whereabouts;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bounds;
use super::check;
use super::duration;
use super::expect::{Expectation, Quantifier};
use super::expect_text;
use super::geo::Region;
use super::model::{DataCenter, Host, Layout, Map, Service};
use super::parse::Source;
use super::source::{Path, Problem};

use experiments::RawExperiment;

pub(super) use experiments::model as experiments;

/// The name of the data center of a layout that has `services` at its top.
const ONLY_DATA_CENTER: &str = "dc";

#[derive(Deserialize)]
#[serde(rename = "Layout", deny_unknown_fields)]
pub(super) struct RawLayout {
    title: String,
    #[serde(default)]
    about: String,
    #[serde(default = "default_domain")]
    domain: String,
    users: BTreeMap<String, users::RawUsers>,
    #[serde(default)]
    regions: BTreeMap<String, RawRegion>,
    #[serde(default)]
    dns: network::RawDns,
    #[serde(default)]
    network: network::RawNetwork,
    hosts: Option<BTreeMap<String, RawHost>>,
    services: Option<BTreeMap<String, RawService>>,
    data_centers: Option<BTreeMap<String, RawDataCenter>>,
    #[serde(default)]
    databases: BTreeMap<String, databases::RawSpread>,
    #[serde(default)]
    cdns: BTreeMap<String, delivery::RawCdn>,
    #[serde(default)]
    content: delivery::RawContent,
    #[serde(default)]
    expect: Vec<RawExpectation>,
    #[serde(default)]
    experiments: Vec<RawExperiment>,
}

fn default_domain() -> String {
    "example.com".to_owned()
}

#[derive(Deserialize)]
#[serde(rename = "Region", deny_unknown_fields)]
struct RawRegion {
    lat: f64,
    lon: f64,
}

#[derive(Deserialize)]
#[serde(rename = "DataCenter", deny_unknown_fields)]
struct RawDataCenter {
    region: Option<String>,
    #[serde(default = "one")]
    zones: u32,
    #[serde(default)]
    hosts: BTreeMap<String, RawHost>,
    services: BTreeMap<String, RawService>,
}

#[derive(Deserialize)]
#[serde(rename = "Host", deny_unknown_fields)]
struct RawHost {
    #[serde(default = "default_size")]
    size: String,
}

#[derive(Deserialize)]
enum RawService {
    LoadBalancer(load_balancer::RawLoadBalancer),
    Web(web::RawWeb),
    Serverless(serverless::RawServerless),
    SessionStore(session_store::RawSessionStore),
    Database(database::RawDatabase<u32>),
    Cache(cache::RawCache),
    Queue(queue::RawQueue),
    Consumer(consumer::RawConsumer),
}

/// An expectation as it is written. Its text is read once the services are known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RawExpectation {
    /// See [`Quantifier::Always`].
    Always(String),
    /// See [`Quantifier::Eventually`].
    Eventually(String),
    /// See [`Quantifier::Sometimes`].
    Sometimes(String),
    /// See [`Quantifier::At`].
    At(#[serde(with = "duration")] Duration, String),
}

impl From<&Expectation> for RawExpectation {
    fn from(expectation: &Expectation) -> RawExpectation {
        let text = expectation.text.clone();
        match expectation.quantifier {
            Quantifier::Always => RawExpectation::Always(text),
            Quantifier::Eventually => RawExpectation::Eventually(text),
            Quantifier::Sometimes => RawExpectation::Sometimes(text),
            Quantifier::At(when) => RawExpectation::At(when, text),
        }
    }
}

impl RawExpectation {
    /// The expectation that is meant, in a layout.
    pub(crate) fn model(&self, layout: &Layout) -> Result<Expectation, String> {
        let (quantifier, text) = match self {
            RawExpectation::Always(text) => (Quantifier::Always, text),
            RawExpectation::Eventually(text) => (Quantifier::Eventually, text),
            RawExpectation::Sometimes(text) => (Quantifier::Sometimes, text),
            RawExpectation::At(when, text) => (Quantifier::At(*when), text),
        };
        expect_text::parse(quantifier, text, layout)
    }
}

fn one() -> u32 {
    1
}

fn default_size() -> String {
    "m".to_owned()
}

impl RawLayout {
    /// The layout without its expectations and its experiments, which follow as they stand in the file.
    pub fn model(self, path: &Path) -> Result<(Layout, Vec<RawExpectation>, Vec<RawExperiment>), Problem> {
        check::domain(&path.at("domain"), &self.domain)?;
        let regions = regions(self.regions, &path.at("regions"))?;
        let mut users = Map::new();
        for (name, raw) in self.users {
            let path = path.at("users");
            check::name(&path, &name)?;
            let population = raw.model(&path.at(&name))?;
            users.insert(name, population);
        }
        let sites: Vec<String> = match &self.data_centers {
            Some(data_centers) => data_centers.keys().cloned().collect(),
            None => vec![ONLY_DATA_CENTER.to_owned()],
        };
        let mut data_centers = Map::new();
        match (self.services, self.data_centers) {
            (Some(_), Some(_)) => {
                let message = "`services` at the top means a single data center; put them into one of `data_centers`";
                return Err(path.key("services").problem(message));
            }
            (None, None) => return Err(path.problem("the field `services` (or `data_centers`) is missing")),
            (Some(services), None) => {
                let hosts = self.hosts.unwrap_or_default();
                let data_center = RawDataCenter {
                    region: None,
                    zones: 1,
                    hosts,
                    services,
                };
                let data_center = data_center.model(path, &sites)?;
                data_centers.insert(ONLY_DATA_CENTER.to_owned(), data_center);
            }
            (None, Some(_)) if self.hosts.is_some() => {
                let message = "`hosts` at the top goes with `services`; put them into one of `data_centers`";
                return Err(path.key("hosts").problem(message));
            }
            (None, Some(raw)) => {
                for (name, raw) in raw {
                    let path = path.at("data_centers");
                    check::name(&path, &name)?;
                    let data_center = raw.model(&path.at(&name), &sites)?;
                    data_centers.insert(name, data_center);
                }
            }
        }
        let databases = databases::spread(self.databases, &mut data_centers, &path.at("databases"))?;
        if self.cdns.len() > bounds::MOST_CDNS {
            let message = format!("at most {} CDNs", bounds::MOST_CDNS);
            return Err(path.key("cdns").problem(message));
        }
        let mut cdns = Map::new();
        for (name, raw) in self.cdns {
            let path = path.at("cdns");
            check::name(&path, &name)?;
            let cdn = raw.model(&path.at(&name))?;
            cdns.insert(name, cdn);
        }
        let around = network::Around {
            sites: &sites,
            regions: !regions.is_empty(),
            cdns: !cdns.is_empty(),
        };
        let mut layout = Layout {
            title: self.title,
            about: self.about,
            domain: self.domain,
            users,
            dns: self.dns.model(&path.at("dns"), &around)?,
            network: self
                .network
                .model(&path.at("network"), regions.keys().map(String::as_str))?,
            regions,
            data_centers,
            databases,
            cdns,
            content: self.content.model(&path.at("content"))?,
            trace: None,
            expect: Vec::new(),
            experiments: Vec::new(),
            source: Source::new(""),
        };
        whereabouts::complete(&mut layout);
        Ok((layout, self.expect, self.experiments))
    }
}

fn regions(raw: BTreeMap<String, RawRegion>, path: &Path) -> Result<Map<Region>, Problem> {
    let mut regions = Map::new();
    for (name, RawRegion { lat, lon }) in raw {
        check::name(path, &name)?;
        check::number(&path.at(&name).at("lat"), lat, -90.0..=90.0)?;
        check::number(&path.at(&name).at("lon"), lon, -180.0..=180.0)?;
        regions.insert(name, Region { lat, lon });
    }
    Ok(regions)
}

impl RawDataCenter {
    fn model(self, path: &Path, sites: &[String]) -> Result<DataCenter, Problem> {
        check::whole(&path.at("zones"), self.zones, bounds::ZONES)?;
        let mut data_center = DataCenter {
            region: self.region,
            zones: self.zones,
            hosts: Map::new(),
            services: Map::new(),
        };
        for (name, raw) in self.hosts {
            let path = path.at("hosts");
            check::name(&path, &name)?;
            check::size(&path.at(&name).at("size"), &raw.size)?;
            data_center.hosts.insert(name, Host { size: raw.size });
        }
        for (name, raw) in self.services {
            let path = path.at("services");
            check::name(&path, &name)?;
            let service = raw.model(&path.at(&name), sites)?;
            data_center.services.insert(name, service);
        }
        pages::complete(&mut data_center.services);
        Ok(data_center)
    }
}

impl RawService {
    /// `sites` are the names of all data centers.
    fn model(self, path: &Path, sites: &[String]) -> Result<Service, Problem> {
        Ok(match self {
            RawService::LoadBalancer(raw) => Service::LoadBalancer(raw.model(path)?),
            RawService::Web(raw) => Service::Web(raw.model(path)?),
            RawService::Serverless(raw) => Service::Serverless(raw.model(path)?),
            RawService::SessionStore(raw) => Service::SessionStore(raw.model(path)?),
            RawService::Database(raw) => Service::Database(raw.model(path, sites)?),
            RawService::Cache(raw) => Service::Cache(raw.model(path)?),
            RawService::Queue(raw) => Service::Queue(raw.model(path)?),
            RawService::Consumer(raw) => Service::Consumer(raw.model(path)?),
        })
    }
}

/// Where a service runs: on a host that it shares, or on machines of its own of this size, else of the default.
fn placement(
    path: &Path,
    on: Option<&String>,
    size: Option<String>,
    default: &str,
    machines: Option<u32>,
) -> Result<String, Problem> {
    if on.is_some() && size.is_some() {
        return Err(path
            .key("size")
            .problem("`size` and `on` exclude each other: the size is that of the host"));
    }
    if on.is_some() && machines.is_some() {
        return Err(path
            .key("machines")
            .problem("`machines` and `on` exclude each other: the host is one machine"));
    }
    let size = size.unwrap_or_else(|| default.to_owned());
    check::size(&path.at("size"), &size)?;
    Ok(size)
}
