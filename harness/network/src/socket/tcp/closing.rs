//! What closes connections besides the peer: their programs, and a host's end.

use crate::HostId;
use crate::event::Event;
use crate::state::State;

use super::connection::Owner;

impl State {
    /// A process ended: its kernel closes what it had.
    pub(crate) fn close_connections(&mut self, host: HostId) {
        for slot in self.machine(host).tcp.listeners.used() {
            self.close_listener(host, slot);
        }
        for slot in self.machine(host).tcp.connections.used() {
            let connection = self.machine(host).tcp.connections.get(slot);
            if connection.is_some_and(|connection| connection.owner == Owner::Program) {
                self.close_connection(host, slot);
            }
        }
    }

    /// Power is gone: nothing is sent, and nothing is remembered.
    pub(crate) fn forget_connections(&mut self, host: HostId) {
        for slot in self.machine(host).tcp.listeners.used() {
            if let Some(listener) = self.machine_mut(host).tcp.forget_listener(slot) {
                self.wakes.extend(listener.acceptors);
                self.record(
                    Some(host),
                    Event::SocketClosed {
                        socket: listener.id,
                    },
                );
            }
        }
        for slot in self.machine(host).tcp.connections.used() {
            self.with_connection(host, slot, |connection, _, _| connection.end());
            if let Some(connection) = self.machine_mut(host).tcp.forget(slot)
                && connection.owner == Owner::Program
            {
                self.record(
                    Some(host),
                    Event::SocketClosed {
                        socket: connection.id,
                    },
                );
            }
        }
    }

    pub(super) fn close_listener(&mut self, host: HostId, slot: usize) {
        let Some(listener) = self.machine_mut(host).tcp.forget_listener(slot) else {
            return;
        };
        self.wakes.extend(listener.acceptors);
        self.record(
            Some(host),
            Event::SocketClosed {
                socket: listener.id,
            },
        );
        self.end_unaccepted(host, slot);
    }

    /// `inet_csk_listen_stop`: who was not accepted is reset; handshakes are forgotten.
    pub(super) fn end_unaccepted(&mut self, host: HostId, listener: usize) {
        for slot in self.machine(host).tcp.connections.used() {
            let connection = self.machine(host).tcp.connections.get(slot);
            if connection.is_some_and(|connection| connection.owner == Owner::Listener(listener)) {
                self.with_connection(host, slot, |connection, _, out| {
                    connection.owner = Owner::Kernel;
                    if connection.is_synchronised() {
                        connection.abort(out);
                    } else {
                        connection.end();
                    }
                });
            }
        }
    }

    pub(super) fn close_connection(&mut self, host: HostId, slot: usize) {
        let found = self.machine(host).tcp.connections.get(slot);
        let Some(id) = found.map(|connection| connection.id) else {
            return;
        };
        self.record(Some(host), Event::SocketClosed { socket: id });
        let readers = self.with_connection(host, slot, |connection, now, out| {
            let wakers = [
                std::mem::take(&mut connection.readers),
                std::mem::take(&mut connection.writers),
            ];
            connection.cause = None;
            connection.close(now, out);
            wakers
        });
        self.wakes.extend(readers.into_iter().flatten().flatten());
    }

    /// Lets the programs of a host read again, or no longer.
    pub(crate) fn stall(&mut self, host: HostId, on: bool) -> bool {
        let tcp = &mut self.machine_mut(host).tcp;
        tcp.stalled = if on {
            tcp.stalled + 1
        } else {
            tcp.stalled.saturating_sub(1)
        };
        if tcp.stalled > 0 {
            return true;
        }
        for slot in tcp.connections.used() {
            let connection = self.machines[host.index()].tcp.connections.get_mut(slot);
            let readers = connection.map(|connection| std::mem::take(&mut connection.readers));
            self.wakes.extend(readers.into_iter().flatten());
        }
        true
    }
}
