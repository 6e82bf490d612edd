//! A run's traffic as a pcapng capture, for Wireshark and what else reads such files.
//!
//! Owns which records become frames, and what is said about them. The frames' headers are etherparse's work, the
//! blocks of the file pcap-file's. Refuses to read anything but the trace, and to judge.
//!
//! A frame is taken where its sender puts it on the wire, once a transmission. Interfaces keep three kinds apart:
//! `sent` has each packet as it left; `nat` has it again as a NAT rewrote it, so that both sides of a NAT show whole
//! streams; `changed` has it as a fault changed or doubled it. Virtual time 0 is the epoch, 1970-01-01.

mod comments;
mod frames;
mod headers;

use std::fmt;
use std::io::{self, Write};
use std::net::IpAddr;
use std::time::Duration;

use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::blocks::name_resolution::{
    Ipv4Record, Ipv6Record, NameResolutionBlock, Record,
};
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::{DataLink, Endianness, PcapError};

use self::comments::Comments;
use self::frames::{Frame, Interface};
use crate::run::Simulation;
use crate::scenario::Scenario;

/// The first four bytes of every pcapng file: the type of its section header block (draft-ietf-opsawg-pcapng §4.1).
pub const MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// pcap-file counts in nanoseconds whatever the interface says, so the interface says 10⁻⁹ s.
const NANOSECONDS: u8 = 9;

/// The longest text that goes into an option or a name, in bytes; an option holds 65,535.
const LONGEST_TEXT: usize = 1024;

/// Why a capture cannot be written.
#[derive(Debug)]
pub enum CaptureError {
    /// The destination takes no more. Blames it.
    Unwritable(io::Error),
    /// A packet is longer than its length fields can say. Blames us: no socket sends one.
    TooLong {
        /// The packet's number.
        packet: u64,
        /// Bytes of IP payload.
        length: usize,
    },
    /// pcap-file refused a block. Blames us.
    Refused(PcapError),
}

/// Writes the traffic of a finished run of `scenario`; the bytes are the same for the same trace.
///
/// # Errors
/// What `out` says; the other kinds would be faults of ours.
pub fn write(
    scenario: &Scenario,
    simulation: &Simulation,
    out: impl Write,
) -> Result<(), CaptureError> {
    let comments = Comments::of(scenario, simulation);
    let mut capture = PcapNgWriter::with_section_header(out, section(scenario))?;
    for interface in Interface::ALL {
        capture.write_pcapng_block(description(interface))?;
    }
    capture.write_pcapng_block(names(scenario, simulation))?;
    for frame in frames::frames(&simulation.trace) {
        let data = headers::bytes(&frame.packet, frame.about.as_ref())?;
        capture.write_pcapng_block(block(&frame, &data, comments.on(&frame)))?;
    }
    capture.get_mut().flush()?;
    Ok(())
}

fn section(scenario: &Scenario) -> SectionHeaderBlock<'static> {
    let application = concat!("linefault ", env!("CARGO_PKG_VERSION"));
    SectionHeaderBlock {
        endianness: Endianness::Little,
        options: vec![
            SectionHeaderOption::Comment(plain(&scenario.title).into()),
            SectionHeaderOption::UserApplication(application.into()),
        ],
        ..SectionHeaderBlock::default()
    }
}

fn description(interface: Interface) -> InterfaceDescriptionBlock<'static> {
    InterfaceDescriptionBlock {
        linktype: DataLink::RAW,
        snaplen: 0,
        options: vec![
            InterfaceDescriptionOption::IfName(interface.name().into()),
            InterfaceDescriptionOption::IfDescription(interface.description().into()),
            InterfaceDescriptionOption::IfTsResol(NANOSECONDS),
        ],
    }
}

/// Which host has which address, and which NAT.
fn names(scenario: &Scenario, simulation: &Simulation) -> NameResolutionBlock<'static> {
    let hosts = simulation.trace.hosts().iter();
    let hosts = hosts.map(|host| (host.address.ip(), host.name.clone()));
    let nats = scenario.lans.iter().flat_map(|lan| {
        let outside = lan.nat.iter().flat_map(|nat| &nat.outside);
        outside.map(|address| (*address, format!("{}-nat", lan.name)))
    });
    NameResolutionBlock {
        records: hosts
            .chain(nats)
            .map(|(address, name)| named(address, &name))
            .collect(),
        options: Vec::new(),
    }
}

fn named(address: IpAddr, name: &str) -> Record<'static> {
    let names = vec![plain(name).into()];
    match address {
        IpAddr::V4(address) => Record::Ipv4(Ipv4Record {
            ip_addr: address.octets().to_vec().into(),
            names,
        }),
        IpAddr::V6(address) => Record::Ipv6(Ipv6Record {
            ip_addr: address.octets().to_vec().into(),
            names,
        }),
    }
}

fn block<'a>(frame: &Frame, data: &'a [u8], comment: Option<String>) -> EnhancedPacketBlock<'a> {
    let comment = comment.map(|text| EnhancedPacketOption::Comment(plain(&text).into()));
    EnhancedPacketBlock {
        interface_id: frame.interface.id(),
        timestamp: Duration::from_micros(frame.at.as_micros()),
        original_len: u32::try_from(data.len()).unwrap_or(u32::MAX),
        data: data.into(),
        options: comment.into_iter().collect(),
    }
}

/// A text that a reader shows in one line and that ends no field early: without control characters, and limited.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        let c = if c.is_control() { ' ' } else { c };
        if plain.len() + c.len_utf8() > LONGEST_TEXT {
            break;
        }
        plain.push(c);
    }
    plain
}

impl From<io::Error> for CaptureError {
    fn from(error: io::Error) -> Self {
        Self::Unwritable(error)
    }
}

impl From<PcapError> for CaptureError {
    fn from(error: PcapError) -> Self {
        match error {
            PcapError::IoError(error) => Self::Unwritable(error),
            other => Self::Refused(other),
        }
    }
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unwritable(error) => write!(f, "{error}"),
            Self::TooLong { packet, length } => {
                write!(
                    f,
                    "packet {packet} has {length} bytes, more than IP can carry"
                )
            }
            Self::Refused(error) => write!(f, "the capture's own writer refuses a block: {error}"),
        }
    }
}

impl std::error::Error for CaptureError {}

#[cfg(test)]
mod tests;
