//! A web server: a slot for each request, held until it has answered, and core time for making the page.

use std::rc::Rc;
use std::time::Duration;

use crate::layout;
use crate::observe::System;
use crate::protocol::{Answer, Ask, Format, Http, Operation, Query, Reason, Reply, Request, Status};
use crate::sim::{Cx, InstanceId, Software};

use super::demand::Demand;
use super::purpose;

/// Core time of a health check: a page that does nothing.
const CHECK_NANOS: u64 = 100_000;

/// A web server.
pub struct Web {
    work: Demand,
    json: f64,
    asset: f64,
    database: Option<InstanceId>,
    timeout: Duration,
}

impl Web {
    /// A web server that asks this database.
    pub fn new(spec: &layout::Web, database: Option<InstanceId>) -> Web {
        Web {
            work: Demand::new(spec.work),
            json: spec.json,
            asset: spec.asset,
            database,
            timeout: spec.timeout,
        }
    }

    async fn answer(&self, cx: &Cx<System>, http: Http) -> Reply {
        let form = if http.format == Format::Json { self.json } else { 1.0 };
        let factor = if http.ask == Ask::Asset { self.asset } else { form };
        cx.work(self.work.sample(cx.draw(purpose::WEB_WORK), factor)).await;
        let page = |status| {
            Reply::answer(Answer::Page {
                status,
                format: http.format,
            })
        };
        let (Some(operation), Some(database)) = (operation(http.ask), self.database) else {
            return page(Status::Static);
        };
        let query = Request::Query(Query {
            operation,
            key: http.key,
        });
        let reply = Reply::of_call(cx.call(database, query, self.timeout).await, database);
        match reply.outcome {
            Ok(Answer::Row(status)) => page(status),
            Ok(_) => page(Status::Static),
            Err(_) => reply,
        }
    }
}

fn operation(ask: Ask) -> Option<Operation> {
    match ask {
        Ask::Page => Some(Operation::Read),
        Ask::Asset => None,
        Ask::Create => Some(Operation::Create),
        Ask::Update => Some(Operation::Update),
        Ask::Delete => Some(Operation::Delete),
    }
}

impl Software<System> for Web {
    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        let Ok(_slot) = cx.admit().await else {
            return Reply::failure(Reason::Overloaded, cx.id());
        };
        if let Request::Http(http) = request {
            return self.answer(&cx, http).await;
        }
        cx.work(CHECK_NANOS).await;
        Reply::answer(Answer::Fine)
    }
}
