use super::super::{FrameError, Header, Rate};
use super::*;

const CALL: Uuid = Uuid([1; 16]);
const OTHER: Uuid = Uuid([2; 16]);

const TIMING: Timing = Timing {
    first_frame: Some(Duration::from_secs(5)),
    next_frame: Some(Duration::from_secs(10)),
    close: Some(Duration::from_secs(2)),
};

struct Bench {
    session: Session,
    now: Instant,
}

impl Bench {
    fn connected() -> Self {
        let mut bench = Self {
            session: Session::new(TIMING),
            now: Instant::START,
        };
        assert_eq!(bench.tell(Input::Connected), []);
        bench
    }

    fn up() -> Self {
        let mut bench = Self::connected();
        assert_eq!(bench.hear(&Frame::Uuid(CALL)), [Output::Open(CALL)]);
        bench
    }

    /// Hung up on by that asker; the frame has left.
    fn closing(asker: Asker) -> Self {
        let mut bench = Self::up();
        assert_eq!(bench.tell(Input::HangUp(asker)), [Output::HangUp]);
        assert_eq!(bench.tell(Input::Sent), []);
        bench
    }

    fn tell(&mut self, input: Input) -> Vec<Output> {
        let mut outputs = Vec::new();
        let mut cx = Context {
            now: self.now,
            is_free: &|uuid| uuid != OTHER,
            outputs: &mut outputs,
        };
        self.session.handle(input, &mut cx);
        outputs
    }

    fn hear(&mut self, frame: &Frame) -> Vec<Output> {
        self.tell(Input::Bytes(frame.encode()))
    }

    fn after(&mut self, length: Duration) -> Vec<Output> {
        self.now = self.now + length;
        self.tell(Input::Wake)
    }
}

fn audio() -> Frame {
    Frame::Audio {
        rate: Rate::Khz8,
        samples: Rate::Khz8.tone(),
    }
}

fn close(ending: Ending) -> Vec<Output> {
    vec![Output::Close(ending)]
}

// Report C, "closing after hang-up": each row has its own ending, so that the actor can log each at its own level.
#[test]
fn each_way_to_close_after_a_hang_up_has_its_ending() {
    let closing = || Bench::closing(Asker::Flow);
    assert_eq!(closing().tell(Input::Eof), close(Ending::Closed));
    for failure in [Failure::Reset, Failure::Other] {
        let ended = closing().tell(Input::Failed(failure));
        assert_eq!(ended, close(Ending::BrokenAfterHangUp(failure)));
    }
    let mut silent = closing();
    assert_eq!(silent.after(Duration::from_micros(1_999_999)), []);
    let late = silent.after(Duration::from_micros(1));
    assert_eq!(late, [Output::Abort(Ending::CloseTimedOut)]);
}

// Report C, "sending hang-up": who asked decides the level, and a FIN that is there already is a reset.
#[test]
fn a_hang_up_that_cannot_be_sent_says_who_wanted_it() {
    for asker in [Asker::Flow, Asker::Request] {
        let sending = || {
            let mut bench = Bench::up();
            assert_eq!(bench.tell(Input::HangUp(asker)), [Output::HangUp]);
            bench
        };
        let reset = Ending::NotSent(asker, Failure::Reset);
        let reset_seen = sending().tell(Input::Failed(Failure::Reset));
        assert_eq!(reset_seen, close(reset.clone()));
        assert_eq!(sending().tell(Input::Eof), close(reset));
        let other = Ending::NotSent(asker, Failure::Other);
        assert_eq!(sending().tell(Input::Failed(Failure::Other)), close(other));
        let late = sending().after(Duration::from_secs(2));
        assert_eq!(late, [Output::Abort(Ending::CloseTimedOut)]);
    }
}

// What was in flight when the peer heard of the hang-up is no news, and no reason to wait longer for its close.
#[test]
fn what_comes_after_a_hang_up_is_thrown_away_and_does_not_move_the_deadline() {
    let mut bench = Bench::closing(Asker::Flow);
    bench.now = bench.now + Duration::from_secs(1);
    for frame in [audio(), Frame::HangUp, Frame::Error(1), Frame::Uuid(CALL)] {
        assert_eq!(bench.hear(&frame), []);
    }
    assert_eq!(bench.tell(Input::Bytes(Bytes::from_static(&[0, 9, 9]))), []);
    assert_eq!(bench.tell(Input::HangUp(Asker::Request)), []);
    let late = bench.after(Duration::from_secs(1));
    assert_eq!(late, [Output::Abort(Ending::CloseTimedOut)]);
}

#[test]
fn only_a_free_uuid_opens_a_session() {
    let first = |frame: Frame| Bench::connected().hear(&frame);
    assert_eq!(first(Frame::Uuid(OTHER)), close(Ending::Taken(OTHER)));
    let wrong = [audio(), Frame::HangUp, Frame::Dtmf(b'1'), Frame::Error(2)];
    for frame in wrong {
        assert_eq!(first(frame.clone()), close(Ending::WrongFirstFrame(frame)));
    }
}

#[test]
fn a_call_ends_with_what_has_no_place_in_it() {
    let unknown = Frame::Unknown {
        kind: 0x42,
        payload: Bytes::new(),
    };
    let next = |frame: Frame| Bench::up().hear(&frame);
    assert_eq!(next(Frame::HangUp), close(Ending::PeerHungUp));
    assert_eq!(next(Frame::Error(4)), close(Ending::PeerError(4)));
    assert_eq!(next(unknown.clone()), close(Ending::WrongFrame(unknown)));
    let again = Frame::Uuid(CALL);
    assert_eq!(next(again.clone()), close(Ending::WrongFrame(again)));
    let odd = Bench::up().tell(Input::Bytes(Bytes::from_static(&[0x10, 0, 3])));
    let header = Header {
        kind: 0x10,
        length: 3,
    };
    assert_eq!(odd, close(Ending::NoFrame(FrameError::Length(header))));
    assert_eq!(Bench::up().tell(Input::Eof), close(Ending::ClosedByPeer));
}

// A byte now and then must not keep a session: only whole frames move the deadline.
#[test]
fn a_frame_that_never_becomes_whole_is_as_good_as_silence() {
    let mut bench = Bench::up();
    let bytes = audio().encode();
    for place in 0..9 {
        bench.now = bench.now + Duration::from_secs(1);
        assert_eq!(bench.tell(Input::Bytes(bytes.slice(place..=place))), []);
    }
    let late = bench.after(Duration::from_secs(1));
    assert_eq!(late, [Output::Silent, Output::HangUp]);
    let mut mute = Bench::connected();
    let late = mute.after(Duration::from_secs(5));
    assert_eq!(late, close(Ending::NoFirstFrame));
}

#[test]
fn frames_behind_a_hang_up_in_one_read_are_not_heard() {
    let mut bench = Bench::up();
    let both = [Frame::HangUp.encode(), audio().encode()].concat();
    let heard = bench.tell(Input::Bytes(both.into()));
    assert_eq!(heard, close(Ending::PeerHungUp));
    assert_eq!(bench.session.deadline(), None);
}
