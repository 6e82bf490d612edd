//! How a token service is configured, and the policies that report D argues about.

use std::time::Duration;

/// What a service does. Every field is a policy that a test may set to something worse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What its answers are made from, together with a session.
    pub seed: u64,
    /// How many tokens an answer has.
    pub tokens: u64,
    /// The time between two of them.
    pub interval: Duration,
    /// Where its source of tokens fails, if it does.
    pub fail: Option<Fail>,
    /// Whether it can stream; otherwise every answer is one JSON document.
    pub streams: bool,
    /// Where it is deployed.
    pub environment: Environment,
    /// What it refuses to exceed.
    pub limits: Limits,
    /// The `retry:` that it sends, in milliseconds.
    pub retry: u64,
    /// Who gets to see where in the program it failed.
    pub traceback: Traceback,
    /// When a prompt is looked at.
    pub validation: Validation,
    /// Where it goes on after a `Last-Event-ID`.
    pub resume: Resume,
    /// What becomes of a stream whose client has gone.
    pub leaving: Leaving,
    /// Whether it counts the streams that fail.
    pub counts_errors: bool,
}

impl Default for Config {
    /// Report D's repaired service.
    fn default() -> Self {
        Self {
            seed: 1,
            tokens: 12,
            interval: Duration::from_millis(50),
            fail: None,
            streams: true,
            environment: Environment::Production,
            limits: Limits::default(),
            retry: 5000,
            traceback: Traceback::InDevelopment,
            validation: Validation::BeforeStreaming,
            resume: Resume::AfterId,
            leaving: Leaving::Stop,
            counts_errors: true,
        }
    }
}

/// Where and how a source of tokens fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fail {
    /// In place of which token, from 1.
    pub at: u64,
    /// How.
    pub kind: FailKind,
    /// How often in one life of the service.
    pub times: u64,
}

/// How a source of tokens fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailKind {
    /// What was asked for makes no sense to it.
    Value,
    /// It was asked too often.
    RateLimit,
    /// What it asks takes too long.
    TimeOut,
}

/// Where a service is deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// Users see it.
    Production,
    /// Programmers see it.
    Development,
}

impl Environment {
    /// Its name in settings and log lines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Development => "development",
        }
    }
}

/// What a service refuses to exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Characters of a prompt.
    pub prompt: usize,
    /// Tokens of an answer.
    pub tokens: u64,
    /// How long a stream may take in all.
    pub time: Duration,
    /// How long a client may take to send its request, and to take what is left of a stream that is over.
    pub patience: Duration,
}

impl Default for Limits {
    /// Report D's numbers; ten seconds for a request, which it does not mention.
    fn default() -> Self {
        Self {
            prompt: 1000,
            tokens: 1000,
            time: Duration::from_secs(30),
            patience: Duration::from_secs(10),
        }
    }
}

/// Who gets to see where in the program it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traceback {
    /// Clients of a service in development.
    InDevelopment,
    /// Everybody.
    Always,
}

/// When a prompt is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validation {
    /// While the answer can still be a 400.
    BeforeStreaming,
    /// When it cannot any more.
    InStream,
}

/// Where a service goes on after a `Last-Event-ID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// With the token after that one.
    AfterId,
    /// With the first.
    FromStart,
    /// One token too late.
    SkipOne,
}

/// What becomes of a stream whose client has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// It ends.
    Stop,
    /// It is generated to its end, for nobody.
    GenerateOn,
}
