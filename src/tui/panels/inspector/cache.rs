//! What is particular to those who keep copies: caches, CDNs, browsers, near copies.

use crate::observe::{CacheNodeState, CacheTally, Frame};
use crate::protocol::Layer;
use crate::tui::layers::{self, Layered};
use crate::tui::text;
use crate::tui::theme::Role;

use super::kinds::counted;
use super::{Line, line};

/// A node or an edge: how it does now, and since the start.
pub(super) fn node(node: &CacheNodeState) -> Vec<Line> {
    let mut lines = vec![
        line("hits (10s)", hits(&node.recent)),
        line("since start", hits(&node.total)),
        line(
            "entries",
            format!("{}, {}", text::count(node.entries), layers::bytes(node.bytes)),
        ),
        line("full", text::percent(node.full)),
    ];
    lines.extend(counted(
        "evicted",
        node.total.evicted,
        " made room for others",
        Role::Text,
    ));
    lines
}

/// A hit ratio and what it is of: `92% of 4,310`.
fn hits(tally: &CacheTally) -> String {
    format!("{} of {}", layers::ratio(tally), text::count(tally.lookups))
}

/// All of a layer: what it is set to, what it answers, what it asks, what it drops.
pub(super) fn layer(frame: &Frame, service: usize) -> Vec<Line> {
    let Some(layer) = layers::of(frame, service) else {
        return Vec::new();
    };
    let (state, total) = (layer.state, &layer.state.total);
    let mut lines = vec![line("keeps", kept(&layer))];
    if let Some(used) = state.used {
        let words = if used {
            "users are sent here"
        } else {
            "no: users are not sent here"
        };
        lines.push(line("used", words));
    }
    for alarm in layer.alarms() {
        lines.push(("alarm".to_string(), alarm, Role::Bad));
    }
    lines.push(line("hits (10s)", hits(&state.recent)));
    lines.push(line("since start", hits(total)));
    if let Some(behind) = layer.behind_name() {
        lines.push(line(
            "behind",
            format!("{behind}, asked {}", layer.rate(layer.passed_rate())),
        ));
        if let Some(factor) = layer.saves() {
            let words = format!("{behind} would get {factor:.1} times as much");
            lines.push(("spares".to_string(), words, Role::Good));
        }
    }
    lines.push(line(
        "entries",
        format!("{}, {}", text::count(state.entries), layers::bytes(state.bytes)),
    ));
    lines.extend(tally(total));
    if total.served_bytes > 0 {
        let own = text::percent(total.hit_bytes as f64 / total.served_bytes as f64);
        let served = layers::bytes(total.served_bytes);
        lines.push(line("served", format!("{served}, {own} of it from what it holds")));
    }
    if state.layer == Layer::Edge && state.spent > 0.0 {
        lines.push(line("traffic cost", text::cost(state.spent)));
    }
    lines
}

fn kept(layer: &Layered) -> String {
    let own = match layer.state.layer {
        Layer::Browser => "in browsers",
        Layer::Near => "in each web server",
        Layer::Edge => "at the edges",
        Layer::Shield => "at the shield",
        Layer::Cache => "in the cache",
    };
    if layer.state.policy.is_empty() {
        own.to_string()
    } else {
        format!("{own}: {}", layer.state.policy)
    }
}

/// Counts since the start, those that are 0 left out.
fn tally(total: &CacheTally) -> Vec<Line> {
    let rows = [
        ("stale", total.stale_hits, " hits past their time", Role::Warning),
        (
            "negative",
            total.negative_hits,
            " hits: there is no such thing",
            Role::Text,
        ),
        (
            "coalesced",
            total.coalesced,
            " misses waited for another's load",
            Role::Text,
        ),
        ("loads", total.loads, "", Role::Text),
        ("refreshes", total.refreshes, " loads in the background", Role::Text),
        ("failed", total.failed_loads, " loads", Role::Bad),
        ("bypassed", total.bypassed, " private ones and writes", Role::Text),
        ("evicted", total.evicted, " made room for others", Role::Text),
        ("expired", total.expired, "", Role::Text),
        ("invalidated", total.invalidated, " written or purged", Role::Text),
        ("stampedes", total.stampedes, "", Role::Bad),
        ("behind time", total.written_behind, " writes went on later", Role::Text),
        (
            "merged",
            total.merged_writes,
            " writes gave way to later ones",
            Role::Text,
        ),
    ];
    let lines = rows
        .into_iter()
        .filter_map(|(label, count, words, role)| counted(label, count, words, role));
    lines.collect()
}
