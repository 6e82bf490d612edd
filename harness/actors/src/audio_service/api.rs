//! The HTTP API: `GET /calls`, `POST /calls/{id}/{leg}/hangup`.

use std::rc::Rc;

use hyper::{Method, Request, StatusCode};
use linefault_protocol::audiosocket::Uuid;
use linefault_protocol::audiosocket::session::Asker;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::calls::{Answer, Leg, Service, Wish};
use crate::http::{self, Reply};

/// Opens the API's port. False if that cannot be.
pub(super) async fn listen(service: &Rc<Service>) -> bool {
    let mut address = service.host.address();
    address.set_port(service.config.api_port);
    let listener = match service.host.listen_tcp(address).await {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%address, %error, "cannot open the port");
            return false;
        }
    };
    let serving = Rc::clone(service);
    service.host.spawn(async move {
        loop {
            let Ok(stream) = listener.accept().await else {
                continue;
            };
            let answering = Rc::clone(&serving);
            let answer = move |request: &Request<_>| answer(Rc::clone(&answering), request);
            let deadline = serving.config.request_deadline;
            let connection = http::serve(serving.host.clone(), stream, deadline, answer);
            serving.host.spawn(connection);
        }
    });
    true
}

fn answer<B>(service: Rc<Service>, request: &Request<B>) -> impl Future<Output = Reply> + use<B> {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    async move {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (&parts[..], method) {
            (["calls"], Method::GET) => Reply::json(StatusCode::OK, &list(&service)),
            (["calls", id, leg, "hangup"], Method::POST) => hang_up(&service, id, leg).await,
            (["calls"], _) => Reply::not_allowed("GET"),
            (["calls", _, _, "hangup"], _) => Reply::not_allowed("POST"),
            _ => Reply::json(StatusCode::NOT_FOUND, &error("no such page")),
        }
    }
}

fn list(service: &Service) -> Value {
    let calls = service.list().into_iter().map(|(id, legs)| {
        let legs: Vec<_> = legs.into_iter().map(Leg::name).collect();
        json!({ "id": id.to_string(), "legs": legs })
    });
    json!({ "calls": calls.collect::<Vec<_>>() })
}

async fn hang_up(service: &Service, id: &str, leg: &str) -> Reply {
    let named = id.parse::<Uuid>().ok().zip(Leg::named(leg));
    let Some(inbox) = named.and_then(|(call, leg)| service.find(call, leg)) else {
        tracing::info!(call = id, leg, "nobody to hang up on");
        return status(service.config.unknown, "unknown call or leg");
    };
    let (asked, answered) = oneshot::channel();
    inbox.push(Wish::HangUp(Asker::Request, Some(asked)));
    // A leg that ends before it hears of the wish is gone.
    match answered.await.unwrap_or(Answer::Gone) {
        Answer::Sent => status(200, "hang-up sent"),
        Answer::Gone => status(service.config.already_gone, "the call is over"),
        Answer::Failed(why) => status(500, &why),
    }
}

fn status(status: u16, message: &str) -> Reply {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if status.is_success() {
        Reply::json(status, &json!({ "status": "ok", "message": message }))
    } else {
        Reply::json(status, &error(message))
    }
}

fn error(message: &str) -> Value {
    json!({ "status": "error", "message": message })
}
