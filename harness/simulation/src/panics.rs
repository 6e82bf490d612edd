//! Panics: an actor's are findings, our own are harness errors; neither prints a backtrace.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};

thread_local! {
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Stops panics from printing; [`catch`] and the trace tell of them. For programs, not for libraries: it is
/// the whole process's.
pub fn keep_quiet() {
    let hook = |info: &PanicHookInfo<'_>| {
        PLACE.set(info.location().map(ToString::to_string));
    };
    #[cfg(feature = "foreign")]
    linefault_network::foreign::set_panic_hook(hook);
    #[cfg(not(feature = "foreign"))]
    panic::set_hook(Box::new(hook));
}

/// Runs `work`; if it panics, gives the message and, under [`keep_quiet`], the place.
///
/// # Errors
/// The panic's message.
pub fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let message = text(payload.as_ref());
        match PLACE.take() {
            Some(place) => format!("{message} (at {place})"),
            None => message,
        }
    })
}

fn text(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message() {
        let caught = catch(|| -> () { panic!("no {}", 7) });
        assert!(caught.is_err_and(|message| message.starts_with("no 7")));
        assert_eq!(catch(|| 7), Ok(7));
    }
}
