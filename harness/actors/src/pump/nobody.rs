//! A host for machines, which ask theirs nothing.

use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll};

use linefault_protocol::Instant;

use super::{NO_ROUTE, address};
use crate::catalogue::Command;
use crate::{Backend, LocalFuture, Report, SocketError, TimerBackend, TimerClass, UdpBackend};

/// The host of machines, which never ask it anything.
pub(super) struct Nobody;

impl Backend for Nobody {
    fn name(&self) -> &str {
        "nobody"
    }
    fn address(&self) -> SocketAddr {
        address("192.0.2.1:5060")
    }
    fn now(&self) -> Instant {
        Instant::START
    }
    fn bind_udp(&self, _: SocketAddr) -> LocalFuture<Result<Rc<dyn UdpBackend>, SocketError>> {
        Box::pin(std::future::ready(Err(NO_ROUTE)))
    }
    fn spawn(&self, _: LocalFuture<()>) {}
    fn timer(&self, _: TimerClass) -> Box<dyn TimerBackend> {
        panic!("a machine sets no timer of the host's")
    }
    fn draw(&self, _: &'static str) -> u64 {
        0
    }
    fn report(&self, _: Report) {}
    fn poll_command(&self, _: &mut Context<'_>) -> Poll<Command> {
        Poll::Pending
    }
}
