//! `bench`: how fast each layout runs and how much memory that takes, as a table of figures.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use serde::{Deserialize, Serialize};

use super::{Complaint, DEFAULT_SEED, Ended, files, output};
use crate::command::Script;
use crate::layout::{SHIPPED, duration, printable};
use crate::replay::Session;

/// The name of the JSON schema.
const SCHEMA: &str = "blastradius.bench/1";

/// What `bench` is told.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Layout files, or names or numbers of shipped layouts. Default: all that are shipped.
    #[arg(value_name = "LAYOUT")]
    layouts: Vec<String>,
    /// How long to run each, in simulated time.
    #[arg(long = "for", value_name = "DURATION", default_value = "30s", value_parser = super::run_length, allow_hyphen_values = true)]
    length: Duration,
    /// The seed: the same seed gives the same history.
    #[arg(long, default_value_t = DEFAULT_SEED, value_parser = super::number::seed, allow_hyphen_values = true)]
    seed: u64,
    /// Write JSON (schema `blastradius.bench/1`).
    #[arg(long)]
    json: bool,
    /// Measure in this process, one line of JSON a layout.
    #[arg(long, hide = true)]
    here: bool,
}

/// All of it.
#[derive(Serialize)]
struct Bench {
    /// Always `blastradius.bench/1`.
    schema: &'static str,
    /// Version of the program.
    engine: &'static str,
    /// The seed.
    seed: u64,
    /// By layout.
    layouts: Vec<Figures>,
}

/// What was measured of a layout. Speeds differ from run to run and from machine to machine; the rest does not, memory but for a little.
#[derive(Serialize, Deserialize)]
struct Figures {
    /// The file, or the name of the shipped layout.
    layout: String,
    /// People.
    users: u64,
    /// Machines at the end.
    machines: u64,
    /// Simulated time.
    simulated_s: f64,
    /// Wall time.
    wall_s: f64,
    /// Requests that users sent.
    requests: u64,
    /// Requests simulated in a second on the wall.
    requests_per_s: f64,
    /// Simulated time for each second on the wall.
    times_real_time: f64,
    /// Messages and timers that machines worked off for each request.
    deliveries_per_request: f64,
    /// The most memory that the process ever had, in bytes; nothing where the system does not tell.
    peak_memory_bytes: Option<u64>,
    /// The hash of the whole history, that of `run`.
    digest: String,
}

/// Measures one layout after the other, each in a process of its own, so that its memory is its own.
pub(super) fn bench(arguments: &Arguments) -> Result<Ended, Complaint> {
    let shipped = || SHIPPED.iter().map(|shipped| shipped.file.to_owned());
    let layouts: Vec<String> = if arguments.layouts.is_empty() {
        shipped().collect()
    } else {
        arguments.layouts.clone()
    };
    if arguments.here {
        for layout in &layouts {
            let figures = measure(layout, arguments.length, arguments.seed)?;
            output::say(&format!("{}\n", json(&figures, false)))?;
        }
        return Ok(Ended::Well);
    }
    // A slip of the finger is told before minutes have passed.
    for layout in &layouts {
        files::layout(layout)?;
    }
    if !arguments.json {
        output::say(&head())?;
    }
    let mut all = Vec::new();
    for layout in &layouts {
        let figures = apart(layout, arguments)?;
        if !arguments.json {
            output::say(&row(&figures))?;
        }
        all.push(figures);
    }
    if arguments.json {
        let bench = Bench {
            schema: SCHEMA,
            engine: env!("CARGO_PKG_VERSION"),
            seed: arguments.seed,
            layouts: all,
        };
        output::say(&format!("{}\n", json(&bench, true)))?;
    }
    Ok(Ended::Well)
}

fn json(value: &impl Serialize, pretty: bool) -> String {
    let text = if pretty {
        serde_json::to_string_pretty(value)
    } else {
        serde_json::to_string(value)
    };
    text.expect("figures are plain data")
}

/// Measures a layout in a child of this process.
fn apart(layout: &str, arguments: &Arguments) -> Result<Figures, Complaint> {
    let failed = |why: String| Complaint(format!("cannot measure {layout}: {why}"));
    let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let child = Command::new(program)
        .args(["bench", "--here", "--for", &duration::format(arguments.length)])
        .args(["--seed", &arguments.seed.to_string(), "--", layout])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !child.status.success() {
        return Err(failed(child.status.to_string()));
    }
    serde_json::from_slice(&child.stdout).map_err(|error| failed(error.to_string()))
}

/// Runs a layout here.
fn measure(name: &str, length: Duration, seed: u64) -> Result<Figures, Complaint> {
    let source = files::layout(name)?;
    let users = source.layout.users.values().map(|users| users.count).sum();
    let mut session = Session::new(&source.layout, seed, &Script::default());
    let started = Instant::now();
    session.advance_to(length);
    let wall = started.elapsed().as_secs_f64().max(1e-9);
    let delivered = session.delivered();
    let ending = session.end();
    let frame = &ending.frame;
    let instances = frame.topology.services.iter().flat_map(|service| &service.instances);
    let ours = instances.filter(|instance| !instance.size.is_empty());
    let machines: BTreeSet<&str> = ours.map(|instance| instance.machine.as_str()).collect();
    let requests = frame.total.sent;
    Ok(Figures {
        layout: source.name,
        users,
        machines: machines.len() as u64,
        simulated_s: length.as_secs_f64(),
        wall_s: wall,
        requests,
        requests_per_s: requests as f64 / wall,
        times_real_time: length.as_secs_f64() / wall,
        deliveries_per_request: delivered as f64 / requests.max(1) as f64,
        peak_memory_bytes: peak_memory(),
        digest: ending.digest.to_string(),
    })
}

/// The most memory that this process ever had, as Linux tells it (`VmHWM` in proc(5)).
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1_024)
}

fn head() -> String {
    format!(
        "{:<24} {:>9} {:>8} {:>11} {:>10} {:>9} {:>9}  digest\n",
        "layout", "users", "machines", "requests/s", "real time", "del./req.", "memory"
    )
}

fn row(figures: &Figures) -> String {
    let grouped = |number: u64| indicatif::HumanCount(number).to_string();
    let memory = figures
        .peak_memory_bytes
        .map_or_else(|| "?".to_owned(), |bytes| format!("{} MB", bytes / 1_000_000));
    format!(
        "{:<24} {:>9} {:>8} {:>11} {:>10} {:>9.1} {memory:>9}  {}\n",
        printable(&figures.layout),
        grouped(figures.users),
        grouped(figures.machines),
        grouped(figures.requests_per_s as u64),
        format!("x{:.1}", figures.times_real_time),
        figures.deliveries_per_request,
        figures.digest
    )
}
