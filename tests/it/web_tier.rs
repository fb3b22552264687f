//! The web tier: what must be seen of health checks, sessions, policies of calls, DNS and scaling.

mod health;
mod policies;
mod resolving;
mod scaling;
mod serverless;
mod sessions;

use crate::story::{act, advance_to, cause, instance, ok_between, only_incident, refusal, service, story};
