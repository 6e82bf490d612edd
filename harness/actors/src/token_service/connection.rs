//! One connection: hyper speaks HTTP on it, and a deadline watches over whoever is at the other end.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;

use hyper::server::conn::http1;
use hyper::service::service_fn;

use super::config::Leaving;
use super::route;
use super::running::Running;
use super::service::Service;
use super::stream::generate;
use crate::checkpoint::reached;
use crate::{Instant, SocketError, TcpStream, TimerClass};

/// The most bytes that hyper holds back for a slow reader, and takes as the head of a request.
const BUFFER: usize = 16 * 1024;

/// What a connection knows of its streams: one at a time.
pub(super) struct Watch {
    deadline: Cell<Instant>,
    running: RefCell<Option<Rc<RefCell<Running>>>>,
}

impl Watch {
    fn new(deadline: Instant) -> Self {
        Self {
            deadline: Cell::new(deadline),
            running: RefCell::new(None),
        }
    }

    /// A stream begins: its own time counts from now on.
    pub(super) fn stream(&self, running: Running) -> Rc<RefCell<Running>> {
        self.deadline.set(running.patience_ends());
        let running = Rc::new(RefCell::new(running));
        self.running.replace(Some(Rc::clone(&running)));
        running
    }
}

/// Serves one connection to its end, and releases everything that it had begun.
pub(super) async fn serve(service: Rc<Service>, stream: TcpStream) {
    let peer = stream.peer_address();
    let patience = service.config.limits.patience;
    let watch = Rc::new(Watch::new(service.host.now() + patience));
    let answer = service_fn(|request| {
        let (service, watch) = (Rc::clone(&service), Rc::clone(&watch));
        async move {
            Ok::<_, std::convert::Infallible>(route::answer(service, watch, peer, request).await)
        }
    });
    let mut http = http1::Builder::new();
    // The date would be the wall clock's.
    http.auto_date_header(false).max_buf_size(BUFFER);
    let outcome = {
        let mut connection = pin!(http.serve_connection(stream.clone(), answer));
        let mut timer = service.host.timer(TimerClass::Foreground);
        loop {
            timer.set(Some(watch.deadline.get()));
            tokio::select! {
                biased;
                ended = &mut connection => break Some(ended),
                () = timer.fired() => if service.host.now() >= watch.deadline.get() {
                    break None;
                },
            }
        }
    };
    let why = match outcome {
        Some(Ok(())) => "closed".to_owned(),
        Some(Err(error)) => say(peer, &error),
        None => {
            // Whoever neither asks nor reads gets no polite end.
            stream.abort_on_close();
            reached!(service.host, "a connection that stood still was given up");
            tracing::warn!(%peer, "gave a connection up that stood still");
            "stood still".to_owned()
        }
    };
    drop(stream);
    let running = watch
        .running
        .take()
        .filter(|running| !running.borrow().is_over());
    if let Some(running) = running {
        leave(&service, &running, &why).await;
    }
}

/// The client of a stream has gone.
async fn leave(service: &Rc<Service>, running: &RefCell<Running>, why: &str) {
    if service.config.leaving == Leaving::GenerateOn {
        while running.borrow().position < service.config.tokens {
            service.host.sleep(service.config.interval).await;
            let (session, position) = (running.borrow().session, running.borrow().position);
            if generate(service, session, position + 1).is_err() {
                break;
            }
            running.borrow_mut().position += 1;
        }
    }
    running.borrow_mut().abandon(why);
}

/// Logs what a peer did wrong, and says it in a few words.
fn say(peer: std::net::SocketAddr, error: &hyper::Error) -> String {
    if error.is_parse() {
        tracing::info!(%peer, %error, "not HTTP");
        return "not HTTP".to_owned();
    }
    if error.is_incomplete_message() {
        return "closed".to_owned();
    }
    let socket = std::error::Error::source(error)
        .and_then(|source| source.downcast_ref())
        .and_then(SocketError::within);
    socket.map_or_else(|| error.to_string(), |socket| socket.to_string())
}
