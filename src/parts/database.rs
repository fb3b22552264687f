//! A database with real rows on a disk that survives a crash.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::layout;
use crate::observe::{DatabaseProbe, System};
use crate::protocol::{Answer, Operation, Query, Reason, Reply, Request, Status};
use crate::sim::{Cx, InstanceId, Software};

use super::common::demand::Demand;
use super::common::purpose;

/// What a database keeps on its disk. Rows that were there from the start and never written take no memory.
#[derive(Debug, Default)]
pub struct Disk {
    /// Rows with keys below this were there from the start, in version 0.
    seeded: Cell<u64>,
    /// Rows that were written since: their version, and whether they exist.
    written: RefCell<FxHashMap<u64, Row>>,
    rows: Cell<u64>,
    version: Cell<u64>,
    formatted: Cell<bool>,
    /// Answers to writes with an idempotency key, by request, and the requests in their order.
    done: RefCell<FxHashMap<u64, Status>>,
    done_order: RefCell<VecDeque<u64>>,
}

/// Idempotency keys that are remembered.
const KEYS_REMEMBERED: usize = 1 << 16;

#[derive(Clone, Copy, Debug)]
struct Row {
    version: u64,
    exists: bool,
}

impl Disk {
    /// Fills a new disk with the rows of the start.
    fn format(&self, rows: u64) {
        if !self.formatted.replace(true) {
            self.seeded.set(rows);
            self.rows.set(rows);
        }
    }

    /// Rows that exist.
    pub fn rows(&self) -> u64 {
        self.rows.get()
    }

    /// The newest version written for a key, deletions too.
    pub fn version(&self, key: u64) -> Option<u64> {
        self.written.borrow().get(&key).map(|row| row.version)
    }

    fn existing(&self, key: u64) -> Option<u64> {
        match self.written.borrow().get(&key) {
            Some(row) => row.exists.then_some(row.version),
            None => (key < self.seeded.get()).then_some(0),
        }
    }

    /// Carries out a query; a write with an idempotency key that is done already is answered as before.
    fn carry_out(&self, query: Query, request: u64, by: InstanceId) -> Status {
        if !query.once || query.operation == Operation::Read {
            return self.apply(query, by);
        }
        if let Some(status) = self.done.borrow().get(&request) {
            return *status;
        }
        let status = self.apply(query, by);
        let mut order = self.done_order.borrow_mut();
        if order.len() == KEYS_REMEMBERED
            && let Some(oldest) = order.pop_front()
        {
            self.done.borrow_mut().remove(&oldest);
        }
        order.push_back(request);
        self.done.borrow_mut().insert(request, status);
        status
    }

    fn apply(&self, query: Query, by: InstanceId) -> Status {
        let existing = self.existing(query.key);
        match (query.operation, existing) {
            (Operation::Read, Some(version)) => Status::Read { version },
            (Operation::Create, Some(_)) => Status::Conflict,
            (Operation::Create, None) => self.write(query.key, true, 1, by),
            (Operation::Update, Some(_)) => self.write(query.key, true, 0, by),
            (Operation::Delete, Some(_)) => self.write(query.key, false, -1, by),
            (_, None) => Status::NotFound,
        }
    }

    fn write(&self, key: u64, exists: bool, change: i64, by: InstanceId) -> Status {
        let version = self.version.get() + 1;
        self.version.set(version);
        self.written.borrow_mut().insert(key, Row { version, exists });
        self.rows.set(self.rows.get().saturating_add_signed(change));
        Status::Written { version, by }
    }
}

/// A database server. All that it has promised is on its disk before it answers.
pub struct Database {
    read: Demand,
    write: Demand,
    disk: Rc<Disk>,
    probe: Rc<DatabaseProbe>,
}

impl Database {
    /// A database over the disk of its machine. The first one finds the rows of the layout there; one on a new disk, in the place of a
    /// destroyed one, finds none.
    pub fn new(cx: &Cx<System>, spec: &layout::Database, first: bool, probe: Rc<DatabaseProbe>) -> Database {
        let disk = cx.disk::<Disk>();
        disk.format(if first { spec.rows } else { 0 });
        Database {
            read: Demand::new(spec.read),
            write: Demand::new(spec.write),
            disk,
            probe,
        }
    }
}

impl Software<System> for Database {
    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        let Ok(_slot) = cx.admit().await else {
            return Reply::failure(Reason::Overloaded, cx.id());
        };
        let Request::Query(query) = request else {
            return Reply::answer(Answer::Fine);
        };
        let (demand, counter) = match query.operation {
            Operation::Read => (self.read, &self.probe.reads),
            _ => (self.write, &self.probe.writes),
        };
        cx.work(demand.sample(cx.draw(purpose::QUERY_WORK), 1.0)).await;
        let status = self.disk.carry_out(query, cx.request(), cx.id());
        counter.set(counter.get() + 1);
        Reply::answer(Answer::Row(status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_created_read_updated_and_deleted() {
        let disk = Disk::default();
        disk.format(10);
        let by = InstanceId(1);
        let apply = |operation, key| {
            let query = Query {
                operation,
                key,
                once: false,
            };
            disk.apply(query, by)
        };
        assert_eq!(apply(Operation::Read, 3), Status::Read { version: 0 });
        assert_eq!(apply(Operation::Read, 10), Status::NotFound);
        assert_eq!(apply(Operation::Create, 3), Status::Conflict);
        assert_eq!(apply(Operation::Create, 10), Status::Written { version: 1, by });
        assert_eq!(apply(Operation::Update, 10), Status::Written { version: 2, by });
        assert_eq!(apply(Operation::Read, 10), Status::Read { version: 2 });
        assert_eq!(disk.rows(), 11);
        assert_eq!(apply(Operation::Delete, 10), Status::Written { version: 3, by });
        assert_eq!(apply(Operation::Update, 10), Status::NotFound);
        assert_eq!((disk.rows(), disk.version(10), disk.version(3)), (10, Some(3), None));
    }

    #[test]
    fn a_write_with_an_idempotency_key_is_done_once() {
        let disk = Disk::default();
        disk.format(10);
        let by = InstanceId(1);
        let create = |request| {
            let query = Query {
                operation: Operation::Create,
                key: 99,
                once: true,
            };
            disk.carry_out(query, request, by)
        };
        assert_eq!(create(7), Status::Written { version: 1, by });
        assert_eq!(create(7), Status::Written { version: 1, by });
        assert_eq!(create(8), Status::Conflict);
        assert_eq!(disk.rows(), 11);
    }
}
