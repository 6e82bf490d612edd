//! A reverse proxy that buffers: what a service streams comes to its clients in lumps.
//!
//! Owns nothing of HTTP but the end of a chunked answer. Refuses to hold back more than its buffer, or to outlive either
//! side.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::catalogue::{Actor, Directory, Entry, Kind, Presence, Setting, Settings};
use crate::checkpoint::{Checkpoint, reached, sometimes};
use crate::{Behaviour, Host, SocketError, TcpStream};

/// The buffering proxy in the catalogue.
pub static ENTRY: Entry = Entry {
    name: "buffering-proxy",
    doc: "Relays HTTP between clients and one service, and holds answers back until they are over or its buffer is full.",
    port: 8080,
    settings: &[
        Setting {
            name: "service",
            kind: Kind::Host,
            presence: Presence::Required,
            doc: "Where it connects to.",
        },
        Setting {
            name: "buffer",
            kind: Kind::Integer(1, 1_048_576),
            presence: Presence::Default("4096"),
            doc: "How many bytes of an answer it holds back.",
        },
    ],
    commands: &[],
    points: &[],
    build: &build,
};

/// Where a buffering proxy should come by in some run.
pub(crate) const CHECKPOINTS: &[Checkpoint] = &[
    Checkpoint::reached("the service behind the proxy could not be reached"),
    Checkpoint::reached("a connection through the proxy broke"),
    Checkpoint::reached("a client left the proxy"),
    Checkpoint::sometimes("an answer fills the proxy's buffer"),
];

/// RFC 9112 §7.1: the last chunk, and no trailer fields.
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";
/// The most that is read at once.
const PIECE: usize = 4096;
/// For settings that were not checked against the directory.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// A configured proxy.
#[derive(Clone, Copy, Debug)]
pub struct BufferingProxy {
    /// Where it connects to.
    pub service: SocketAddr,
    /// How many bytes of an answer it holds back.
    pub buffer: usize,
}

fn build(settings: &Settings, directory: &Directory) -> Box<dyn Actor> {
    let service = settings
        .text("service")
        .and_then(|name| directory.find(name));
    let buffer = settings.integer("buffer");
    Box::new(BufferingProxy {
        service: service.map_or(NOWHERE, |listing| listing.address),
        buffer: buffer
            .and_then(|bytes| usize::try_from(bytes).ok())
            .unwrap_or(PIECE),
    })
}

impl Actor for BufferingProxy {
    fn start(&self, host: &Host) -> Behaviour {
        Behaviour::Task(Box::pin(serve(host.clone(), *self)))
    }
}

async fn serve(host: Host, proxy: BufferingProxy) {
    let listener = match host.listen_tcp(host.address()).await {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "cannot open the socket");
            return;
        }
    };
    loop {
        match listener.accept().await {
            Ok(client) => host.spawn(relay(host.clone(), proxy, client)),
            Err(error) => tracing::warn!(%error, "cannot accept a connection"),
        }
    }
}

/// One client's connection, and the one to the service behind it; both end together.
async fn relay(host: Host, proxy: BufferingProxy, client: TcpStream) {
    let service = match host.connect_tcp(proxy.service).await {
        Ok(service) => service,
        Err(error) => {
            reached!(host, "the service behind the proxy could not be reached");
            tracing::warn!(%error, "cannot reach the service");
            client.abort_on_close();
            return;
        }
    };
    if let Err(error) = pump(&host, &proxy, &client, &service).await {
        reached!(host, "a connection through the proxy broke");
        let peer = client.peer_address();
        tracing::info!(%peer, %error, "a connection broke");
        client.abort_on_close();
        service.abort_on_close();
    }
}

/// Carries bytes both ways until one side ends.
async fn pump(
    host: &Host,
    proxy: &BufferingProxy,
    client: &TcpStream,
    service: &TcpStream,
) -> Result<(), SocketError> {
    let (mut request, mut answer) = ([0; PIECE], [0; PIECE]);
    let mut held = Vec::new();
    loop {
        tokio::select! {
            biased;
            read = client.read(&mut request) => match read? {
                0 => {
                    reached!(host, "a client left the proxy");
                    return Ok(());
                }
                length => service.write_all(request.get(..length).unwrap_or_default()).await?,
            },
            read = service.read(&mut answer) => {
                let length = read?;
                held.extend_from_slice(answer.get(..length).unwrap_or_default());
                let full = held.len() >= proxy.buffer;
                sometimes!(host, full, "an answer fills the proxy's buffer");
                if length == 0 || full || held.ends_with(LAST_CHUNK) {
                    client.write_all(&held).await?;
                    held.clear();
                }
                if length == 0 {
                    return Ok(());
                }
            },
        }
    }
}
