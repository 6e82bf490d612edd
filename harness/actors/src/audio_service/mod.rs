//! A service that AudioSocket calls are bridged to: two legs a call, each on its own port, and an HTTP API to hang up.
//!
//! Owns the call flow, who is connected, the log lines and their levels. Refuses what follows from a frame; that is
//! `linefault_protocol`'s.

mod api;
mod calls;
mod entry;
mod line;
mod outbox;
mod reaction;

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use linefault_protocol::audiosocket::session::{Machine, Session, Timing};

use crate::catalogue::Actor;
use crate::{Behaviour, Host, LocalFuture};
use calls::Service;

pub use calls::Leg;
pub(crate) use entry::CHECKPOINTS;
pub use entry::ENTRY;
pub use reaction::{Reaction, Reactions};

/// A configured service.
#[derive(Clone, Debug)]
pub struct AudioService {
    /// Its configuration.
    pub config: Config,
}

/// What an audio service does.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where residents' legs connect; visitors' do where the service is.
    pub resident_port: u16,
    /// Where the HTTP API listens.
    pub api_port: u16,
    /// What a caller hears.
    pub flow: Flow,
    /// How long after its first frame a leg is hung up on; `None` waits for others to end the call.
    pub hang_up_after: Option<Duration>,
    /// Until when a leg may be sent audio.
    pub talks_until: TalksUntil,
    /// How long a leg is waited for.
    pub timing: Timing,
    /// How long data may go unacknowledged before a leg's connection fails; `None` leaves it to the kernel.
    pub user_timeout: Option<Duration>,
    /// What an HTTP client has to send its request and take the answer.
    pub request_deadline: Duration,
    /// Whether a leg is hung up on whose answer cannot be had; otherwise its caller is left in silence.
    pub hangs_up_without_answer: bool,
    /// What the end of a leg leads to.
    pub reactions: Reactions,
    /// The status for a hang-up that found the peer gone already.
    pub already_gone: u16,
    /// The status for a call or leg that is not there.
    pub unknown: u16,
    /// What runs a connection.
    pub machine: fn(Timing) -> Box<dyn Machine>,
}

/// What a caller hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// The other leg of the call; when one leg ends, the other is hung up on.
    Bridge,
    /// Itself.
    Echo,
    /// 1 kHz.
    Tone,
    /// Frames of silence.
    Silence,
    /// What the token service at that address says: 1 kHz while there is something to say, no frame otherwise. When an
    /// answer cannot be had, the leg is hung up on.
    Speech(SocketAddr),
}

/// Until when a leg may be sent audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TalksUntil {
    /// The wish to hang up.
    HangUp,
    /// The close of the connection.
    Close,
}

impl Config {
    /// The repaired service of report C.
    #[must_use]
    pub fn new() -> Self {
        Self {
            resident_port: 9093,
            api_port: 8080,
            flow: Flow::Bridge,
            hang_up_after: None,
            talks_until: TalksUntil::HangUp,
            timing: Timing {
                first_frame: Some(Duration::from_secs(5)),
                next_frame: Some(Duration::from_secs(10)),
                close: Some(Duration::from_secs(2)),
            },
            user_timeout: None,
            request_deadline: Duration::from_secs(10),
            hangs_up_without_answer: true,
            reactions: Reactions::INCIDENT,
            already_gone: 200,
            unknown: 404,
            machine: |timing| Box::new(Session::new(timing)),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

impl Actor for AudioService {
    fn start(&self, host: &Host) -> Behaviour {
        Behaviour::Task(serve(host.clone(), self.config.clone()))
    }
}

fn serve(host: Host, config: Config) -> LocalFuture<()> {
    Box::pin(async move {
        let service = Rc::new(Service::new(host.clone(), config));
        for leg in Leg::ALL {
            if !listen(&service, leg).await {
                return;
            }
        }
        if !api::listen(&service).await {
            return;
        }
        loop {
            let command = host.next_command().await;
            let leg = command.arguments.text("leg").and_then(Leg::named);
            service.hang_up_all(leg);
        }
    })
}

/// Opens a leg's port. False if that cannot be.
async fn listen(service: &Rc<Service>, leg: Leg) -> bool {
    let address = service.address(leg);
    let listener = match service.host.listen_tcp(address).await {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%address, %error, "cannot open the port");
            return false;
        }
    };
    let accepting = Rc::clone(service);
    service.host.spawn(async move {
        loop {
            tokio::select! {
                biased;
                () = accepting.stopped(leg) => return,
                accepted = listener.accept() => match accepted {
                    Ok(stream) => {
                        let line = line::run(Rc::clone(&accepting), leg, stream);
                        accepting.host.spawn(line);
                    }
                    Err(error) => log_accept(&error),
                },
            }
        }
    });
    true
}

/// Whoever could not be accepted has gone; the port stays open.
fn log_accept(error: &crate::SocketError) {
    tracing::warn!(%error, "a connection was lost before it was accepted");
}

/// Writes a line at a level that is known only when the service runs.
macro_rules! log {
    ($level:expr, $($line:tt)*) => {
        match $level {
            tracing::Level::ERROR => tracing::error!($($line)*),
            tracing::Level::WARN => tracing::warn!($($line)*),
            _ => tracing::info!($($line)*),
        }
    };
}
use log;
