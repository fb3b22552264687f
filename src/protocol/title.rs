//! What requests are for and what replies say, in a few words, for those who follow a request.

use super::{
    Answer, Ask, CacheRequest, Cached, Found, Handover, Layer, Operation, QueueRequest, Reply, Request, SessionRequest,
    Status,
};

impl Ask {
    /// What a user wants, in a word or two.
    pub fn title(self) -> &'static str {
        match self {
            Ask::Page => "page",
            Ask::Asset => "static file",
            Ask::Create => "create",
            Ask::Update => "update",
            Ask::Delete => "delete",
            Ask::Search => "search",
            Ask::Upload => "upload",
        }
    }
}

impl Operation {
    fn title(self) -> &'static str {
        match self {
            Operation::Create => "create",
            Operation::Read => "read",
            Operation::Update => "update",
            Operation::Delete => "delete",
            Operation::Search => "search",
        }
    }
}

impl Request {
    /// What it is for, in a few words.
    pub fn title(&self) -> String {
        let fixed = match self {
            Request::Http(http) => return format!("{} {}", http.ask.title(), http.key),
            Request::Query(query) if query.operation == Operation::Search => "search",
            Request::Query(query) => return format!("{} row {}", query.operation.title(), query.key),
            Request::Cache(CacheRequest::Get { key }) => return format!("get {key}"),
            Request::Cache(CacheRequest::Put { key, .. }) => return format!("put {key}"),
            Request::Cache(CacheRequest::Delete { key, .. }) => return format!("forget {key}"),
            Request::Cache(CacheRequest::Abandon { key }) => return format!("no load of {key}"),
            Request::Visit => "a visit",
            Request::LookBack { .. } => "looks at what they wrote",
            Request::Purge(_) => "purge",
            Request::Expire => "expire",
            Request::Queue(QueueRequest::Publish(_)) => "publish",
            Request::Queue(QueueRequest::Take { .. }) => "take messages",
            Request::Queue(_) => "message",
            Request::Drain => "drain",
            Request::Resume => "go on",
            Request::Session(SessionRequest::Find { .. }) => "find session",
            Request::Session(SessionRequest::Keep { .. }) => "keep session",
            Request::Lookup(_) => "look the name up",
            Request::Measured { .. } => "a measurement",
            Request::Check => "health check",
            Request::Retune => "new settings",
            Request::Revoke(_) => "revoke sessions",
            Request::Advertise { .. } => "I am here",
            Request::Claim { .. } => "the address is mine",
            Request::Measure => "how busy?",
            Request::Pull(_) | Request::PeerPull(_) => "what is new?",
            Request::Rows { .. } | Request::PeerRows { .. } => "all rows",
            Request::Lease(_) => "lease",
            Request::Prepare { .. } => "prepare",
            Request::Leads { .. } => "I am primary",
            Request::WhoLeads => "who is primary?",
            Request::Missing(_) => "a missing write",
            Request::Handover(Handover::Fetch { .. }) => "fetch rows",
            Request::Handover(Handover::Release { .. }) => "release rows",
            Request::Order(_) => "an order",
            Request::PeerState => "how far?",
        };
        fixed.to_string()
    }
}

impl Reply {
    /// What it says, in a word or none; or why it is a failure.
    ///
    /// # Errors
    /// The name of the reason, of a failure.
    pub fn title(&self) -> Result<&'static str, &'static str> {
        let answer = self.outcome.as_ref().map_err(|failure| failure.reason.name())?;
        Ok(match answer {
            Answer::Page { copy: Some(layer), .. } => match layer {
                Layer::Browser => "browser's copy",
                Layer::Edge => "edge's copy",
                Layer::Shield => "shield's copy",
                Layer::Near => "near copy",
                Layer::Cache => "cached row",
            },
            Answer::Page { status, .. } | Answer::Row(status) => match status {
                Status::NotFound { .. } => "not found",
                Status::Conflict => "conflict",
                Status::Accepted => "accepted",
                _ => "",
            },
            Answer::Cached(Cached::Hit { .. }) => "hit",
            Answer::Cached(Cached::Miss) => "miss",
            Answer::Elsewhere { .. } => "ask another node",
            Answer::Moved { .. } => "the row has moved",
            Answer::Session(Found::Alive) => "signed in",
            Answer::Session(_) => "no session",
            _ => "",
        })
    }
}
