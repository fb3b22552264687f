//! How long one has to wait after the last news until nobody in a layout will notice or do anything any more.

use std::time::Duration;

use super::trial::Span;
use super::{CALM, Failure};
use crate::layout::{
    Autoscaler, Cache, Calls, Cdn, Database, Dns, HealthCheck, Layout, LoadBalancer, Pages, Pair, Queue, Replication,
    Service, Users,
};
use crate::parts::LONGEST_REST;

/// The waits of a layout.
#[derive(Default)]
struct Waits {
    /// Those that may have begun before the failure, or are done several times in a row: the longest.
    longest: Duration,
    /// How long what is kept, held or remembered lives.
    lives: Vec<Duration>,
}

/// The longest that anything in a layout waits before it notices, acts, tries again or forgets, and then some. Copies in caches count if they can hide
/// the failure. What lives longer than the whole run does not: it ends only when nobody watches any more, so until then it is as good as for ever.
pub(super) fn of(layout: &Layout, failure: &Failure, span: Span) -> Duration {
    let mut waits = Waits::default();
    waits.of_dns(&layout.dns);
    for users in layout.users.values() {
        waits.of_users(users);
    }
    for cdn in layout.cdns.values() {
        waits.of_cdn(cdn);
    }
    if failure.late {
        waits.live(layout.content.asset_ttl);
    }
    for service in layout.data_centers.values().flat_map(|site| site.services.values()) {
        waits.of_service(service, failure.copied);
    }
    let whole = span.before + span.after;
    let lives = waits.lives.into_iter().filter(|life| *life < whole);
    lives.fold(waits.longest, Duration::max) + CALM
}

impl Waits {
    fn wait(&mut self, wait: Duration) {
        self.longest = self.longest.max(wait);
    }

    fn live(&mut self, life: Duration) {
        self.lives.push(life);
    }

    fn of_service(&mut self, service: &Service, copied: bool) {
        match service {
            Service::LoadBalancer(balancer) => self.of_balancer(balancer),
            Service::Web(web) => {
                self.of_pages(&web.pages);
                self.of_scaling(web.scale.as_ref(), web.drain);
            }
            Service::Serverless(functions) => {
                self.of_pages(&functions.pages);
                self.live(functions.keep);
            }
            Service::SessionStore(_) => {}
            Service::Database(database) => self.of_database(database),
            Service::Cache(cache) => self.of_cache(cache, copied),
            Service::Queue(queue) => self.of_queue(queue),
            Service::Consumer(workers) => {
                workers.calls.values().for_each(|calls| self.of_calls(calls));
                self.of_scaling(workers.scale.as_ref(), workers.drain);
            }
        }
    }

    fn of_dns(&mut self, dns: &Dns) {
        // A resolver's caches have a phase of their own when the run begins.
        self.wait(dns.ttl);
        self.wait(dns.timeout * dns.attempts);
        dns.health.iter().for_each(|health| self.of_checks(health));
    }

    fn of_users(&mut self, users: &Users) {
        self.wait(users.patience);
        self.of_calls(&users.calls);
        users.look_back.iter().for_each(|look| self.wait(look.after));
    }

    fn of_cdn(&mut self, cdn: &Cdn) {
        self.of_calls(&cdn.calls);
        let pages = cdn.pages.unwrap_or_default();
        self.live(pages);
        self.live(pages + cdn.stale_while_revalidate);
        self.live(pages + cdn.stale_if_error);
    }

    fn of_balancer(&mut self, balancer: &LoadBalancer) {
        self.of_checks(&balancer.health);
        self.of_calls(&balancer.calls);
        self.live(balancer.slow_start);
        balancer.outlier.iter().for_each(|outlier| self.live(outlier.eject));
        if let Pair::Floating { every, down_after } = balancer.pair {
            self.wait(every * (down_after + 1));
        }
    }

    fn of_pages(&mut self, pages: &Pages) {
        pages.calls.values().for_each(|calls| self.of_calls(calls));
    }

    fn of_database(&mut self, database: &Database) {
        self.wait(LONGEST_REST);
        match &database.replication {
            Replication::None => {}
            Replication::PrimaryReplicas(settings) => {
                self.wait(settings.ack_timeout);
                settings.replace.iter().for_each(|replace| self.wait(*replace));
                settings.failover.iter().for_each(|failover| self.wait(failover.after));
            }
            Replication::MultiPrimary(peers) | Replication::Circular(peers) => {
                peers.close.iter().for_each(|close| self.wait(*close));
            }
        }
    }

    fn of_cache(&mut self, cache: &Cache, copied: bool) {
        self.wait(LONGEST_REST);
        self.of_calls(&cache.calls);
        let lives = [Some(cache.ttl), cache.negative, cache.near.map(|near| near.ttl)];
        if copied {
            lives.into_iter().flatten().for_each(|life| {
                self.live(life);
                self.live(life.mul_f64(1.0 - cache.jitter));
            });
        }
    }

    /// Single messages may wait for longer before they are handed out again; they are counted among those that wait, which must go on as before.
    fn of_queue(&mut self, queue: &Queue) {
        self.wait(LONGEST_REST);
        self.of_calls(&queue.calls);
        self.live(queue.visibility);
        self.live(queue.delay);
        queue.retention.iter().for_each(|retention| self.live(*retention));
    }

    /// Whoever scales down waits for longer than it was watched if its window is longer.
    fn of_scaling(&mut self, scaler: Option<&Autoscaler>, drain: Duration) {
        if let Some(scaler) = scaler {
            self.wait(scaler.every * 2);
            self.wait(scaler.up_window);
            self.live(scaler.down_window);
            self.live(drain);
        }
    }

    fn of_checks(&mut self, checks: &HealthCheck) {
        self.wait(checks.every * checks.down_after.max(checks.up_after) + checks.timeout);
    }

    fn of_calls(&mut self, calls: &Calls) {
        let tries = calls.timeout * (calls.retries + 1);
        self.wait(tries + calls.backoff_most * calls.retries);
        calls.breaker.iter().for_each(|breaker| {
            self.wait(breaker.window);
            self.wait(breaker.open);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyze::blast::{Plan, Question};
    use crate::layout::{find_shipped, parse};

    /// By failure, in seconds.
    fn patience(layout: &Layout, after: u64) -> impl Fn(&str) -> u64 {
        let span = Span {
            before: Duration::from_secs(1),
            after: Duration::from_secs(after),
        };
        let seeds = vec![7];
        let pairs = false;
        let plan = Plan::of(layout, Question { span, seeds, pairs });
        move |id| {
            let failure = plan.failures.iter().find(|failure| failure.id() == id);
            let failure = failure.unwrap_or_else(|| panic!("nothing of `{id}`"));
            of(layout, failure, span).as_secs()
        }
    }

    #[test]
    fn it_is_the_longest_wait_of_what_the_failure_can_touch() {
        let shipped = find_shipped("13").expect("it is shipped");
        let layout = parse(shipped.source, shipped.file).expect("it is a layout");
        let of = patience(&layout, 90);
        // Three checks of DNS, 10 s apart, the last of which takes 4 s.
        for id in ["kill us-east/photos", "outage dns", "cut america -> us-east/lb"] {
            assert_eq!(of(id), 34 + 10, "{id}");
        }
        // Rows live for 60 s in the caches.
        for id in [
            "kill us-east/orders/1",
            "kill us-east/cache/1",
            "kill us-east",
            "cut us-east/web -> us-east/orders",
            "cut us-east -> eu-west",
        ] {
            assert_eq!(of(id), 60 + 10, "{id}");
        }
        // Nothing that is in them ends before the watch does.
        assert_eq!(patience(&layout, 59)("kill us-east/orders/1"), 34 + 10);
    }

    #[test]
    fn copies_in_a_cdn_count_where_they_hide_the_failure() {
        let text = "Layout(title: \"A CDN\", dns: (ttl: \"10s\"), cdns: { \"cdn\": (pages: \"50s\") }, content: (asset_ttl: \"40s\"),
            users: { \"people\": (count: 10) }, services: { \"lb\": LoadBalancer(to: \"web\"), \"web\": Web(machines: 2) })";
        let layout = parse(text, "cdn.ron").unwrap_or_else(|error| panic!("{}", error.render(text)));
        let of = patience(&layout, 90);
        assert_eq!((of("outage cdn"), of("kill lb"), of("kill web/1")), (60, 60, 60));
        let text = text.replace("\"50s\"", "\"5s\"").replace("\"40s\"", "\"60s\"");
        let layout = parse(&text, "cdn.ron").expect("it is a layout");
        let of = patience(&layout, 90);
        assert_eq!((of("outage cdn"), of("kill lb"), of("kill web/1")), (70, 70, 44));
    }
}
