//! The service over simulated sockets.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use linefault::foreign::{Host, TcpListener, TcpStream};

fn main() -> ExitCode {
    linefault::suite("scenarios").foreign("my-server", serve).run()
}

async fn serve(host: Host) {
    match host.listen_tcp(host.address()).await {
        Ok(listener) => {
            let _ = axum::serve(Listener(listener), foreign_server::app()).await;
        }
        Err(error) => tracing::error!(%error, "cannot listen"),
    }
}

/// Where axum's connections come from.
struct Listener(TcpListener);

impl axum::serve::Listener for Listener {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok(accepted) => return accepted,
                Err(error) => tracing::warn!(%error, "a connection was not accepted"),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}
