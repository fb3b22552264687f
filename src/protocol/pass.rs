//! What shows that a user is signed in, and what became of it.

use std::time::Duration;

use crate::sim::{InstanceId, SimTime, mix};

/// A user: the number of the population in the high bits, that of the person in the low ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(pub u64);

/// Bits of an owner that number the people of a population.
const PERSON_BITS: u32 = 40;

impl Owner {
    /// This person of this population.
    pub fn new(population: u32, person: u64) -> Owner {
        Owner(u64::from(population) << PERSON_BITS | person)
    }

    /// The number of the population.
    pub fn population(self) -> u32 {
        (self.0 >> PERSON_BITS) as u32
    }

    /// The number of the person.
    pub fn person(self) -> u64 {
        self.0 & ((1 << PERSON_BITS) - 1)
    }

    /// The person's place between 0 and 1 in a lottery: always the same.
    pub fn lot(self) -> f64 {
        (mix(self.0) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// What a client shows to be known as a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pass {
    /// Nothing: it is not signed in.
    #[default]
    None,
    /// The number of a session that a server or a store knows.
    Session(u64),
    /// A signed token.
    Token {
        /// When it ends.
        until: SimTime,
    },
}

impl Pass {
    /// Some bits of it for the digest.
    pub fn fingerprint(self) -> u64 {
        match self {
            Pass::None => 0,
            Pass::Session(id) => id | 1,
            Pass::Token { until } => until.0 << 1,
        }
    }
}

/// What became of a session in a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PassNews {
    /// Nobody asked who the user is.
    #[default]
    NotAsked,
    /// What the user showed is good, and lives on.
    Kept,
    /// The user was signed in. In a box, since it is rare, and every answer would have room for it.
    Issued(Box<Issue>),
}

/// What a user who was signed in is to show from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Issue {
    /// How long it lives, from its last use or, for a token, from now.
    pub ttl: Duration,
    /// What to show.
    pub pass: Pass,
    /// Who holds the session: a server or a store; for a token, who signed it.
    pub holder: InstanceId,
    /// Why it was necessary.
    pub because: Ended,
}

/// Why a user had to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The client showed nothing.
    Never,
    /// What it showed had expired.
    Expired,
    /// Nobody knows what it showed: it is gone. It may have expired so long ago that it is forgotten.
    Unknown,
    /// What it showed is good for another scheme.
    OtherScheme,
}
