//! A client that asks what it is told to ask.

use std::time::Duration;

use bytes::Bytes;
use hyper::Method;

use super::ask::{Question, ask};
use crate::catalogue::{
    Actor, Command, CommandEntry, Directory, Entry, Kind, Presence, Setting, Settings,
};
use crate::{Behaviour, Host};

/// The HTTP client in the catalogue.
pub static ENTRY: Entry = Entry {
    name: "http-client",
    doc: "Sends HTTP requests and logs what becomes of them; each on a connection of its own.",
    port: 80,
    settings: &[Setting {
        name: "timeout",
        kind: Kind::Duration,
        presence: Presence::Default("10s"),
        doc: "How long it waits for a whole answer, from the beginning of the connection.",
    }],
    commands: &[CommandEntry {
        name: "request",
        doc: "Sends a request.",
        arguments: REQUEST,
    }],
    points: &[],
    build: &build,
};

const REQUEST: &[Setting] = &[
    Setting {
        name: "to",
        kind: Kind::Host,
        presence: Presence::Required,
        doc: "Whom it asks.",
    },
    Setting {
        name: "port",
        kind: Kind::Integer(1, 65_535),
        presence: Presence::Optional,
        doc: "On which port; without it where that host has its API, or else where it serves.",
    },
    Setting {
        name: "method",
        kind: Kind::Choice(&["GET", "POST", "PUT", "DELETE"]),
        presence: Presence::Default("GET"),
        doc: "The method.",
    },
    Setting {
        name: "path",
        kind: Kind::Text,
        presence: Presence::Default("/"),
        doc: "The path, with a query if there is one.",
    },
    Setting {
        name: "body",
        kind: Kind::Text,
        presence: Presence::Default(""),
        doc: "The body.",
    },
];

/// A configured client.
#[derive(Clone, Debug)]
pub struct HttpClient {
    timeout: Duration,
    directory: Directory,
}

fn build(settings: &Settings, directory: &Directory) -> Box<dyn Actor> {
    Box::new(HttpClient {
        timeout: settings
            .duration("timeout")
            .unwrap_or(Duration::from_secs(10)),
        directory: directory.clone(),
    })
}

impl Actor for HttpClient {
    fn start(&self, host: &Host) -> Behaviour {
        let (client, host) = (self.clone(), host.clone());
        Behaviour::Task(Box::pin(async move {
            loop {
                let command = host.next_command().await;
                if let Some(question) = client.question(&command) {
                    host.spawn(exchange(host.clone(), client.timeout, question));
                }
            }
        }))
    }
}

impl HttpClient {
    fn question(&self, command: &Command) -> Option<Question> {
        let arguments = &command.arguments;
        let listing = self.directory.find(arguments.text("to")?)?;
        let mut to = listing.address;
        let port = arguments.integer("port");
        let port = port.or_else(|| listing.settings.integer("api_port"));
        if let Some(port) = port.and_then(|port| u16::try_from(port).ok()) {
            to.set_port(port);
        }
        let method = match arguments.text("method") {
            Some("POST") => Method::POST,
            Some("PUT") => Method::PUT,
            Some("DELETE") => Method::DELETE,
            _ => Method::GET,
        };
        Some(Question {
            to,
            method,
            path: arguments.text("path").unwrap_or("/").to_owned(),
            body: Bytes::from(arguments.text("body").unwrap_or_default().to_owned()),
        })
    }
}

async fn exchange(host: Host, timeout: Duration, question: Question) {
    let Question {
        method, path, to, ..
    } = &question;
    let (method, path, peer) = (method.clone(), path.clone(), *to);
    tokio::select! {
        biased;
        answered = ask(&host, question) => match answered {
            Ok(answer) => {
                let (status, body) = (answer.status, answer.body);
                tracing::info!(%method, path, status, body, "answered");
            }
            Err(error) => tracing::warn!(%method, path, %peer, %error, "not answered"),
        },
        () = host.sleep(timeout) => tracing::warn!(%method, path, %peer, "not answered in time"),
    }
}
