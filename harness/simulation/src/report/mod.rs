//! Reports: judged tests as pages, pictures and lists, for reviewers and for other programs.
//!
//! Owns a model of one test as a reader sees it, and one file a format that renders it. Reads nothing but the trace and
//! what was judged of it; refuses to judge, and to write files: [`folder`] alone does that, under its own rules.

mod case;
mod chart;
mod columns;
mod content;
pub mod folder;
mod html;
mod json;
mod junit;
mod mermaid;
mod stretches;
mod svg;
mod threads;

pub use case::{Case, FaultRow, Objection};
pub use chart::{Chart, Column, Rung, Style};
pub use html::Page;
pub use json::ladder;
pub use junit::Junit;
pub use mermaid::mermaid;
pub use stretches::Stretch;
pub use svg::svg;
