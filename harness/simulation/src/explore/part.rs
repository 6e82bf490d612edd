//! A campaign, or a part of one, as a file: one JSON object a line.
//!
//! Owns the format. A file is a function of binary, scenarios and seeds, without a trace of who made it or how long that
//! took; merging is a union of blocks, so that it may be done in any order, and twice. Refuses parts of different
//! campaigns, parts that are cut short, and parts that disagree.

mod json;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use super::Plan;
use super::campaign::{Block, Tally};

/// What a campaign is: two parts belong together only if all of it is the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// Which build of linefault it is: a hash of its binary.
    pub build: String,
    /// The seeds of each plan.
    pub seeds: Range<u64>,
    /// The plans, in order.
    pub plans: Vec<PlanId>,
}

/// A plan, as a part knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanId {
    /// The test's name.
    pub test: String,
    /// A hash of the plan's data.
    pub hash: String,
    /// The command that explores it, but for the seeds.
    pub command: String,
}

/// Some blocks of a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Of which campaign.
    pub campaign: Campaign,
    /// What its blocks showed, by plan and first seed.
    blocks: BTreeMap<(usize, u64), (Range<u64>, Tally)>,
}

/// Why parts cannot be read or merged. Blames who made or chose the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartError {
    /// A line is no JSON, or not what should stand there.
    Line {
        /// Which, from 1.
        line: usize,
        /// What is wrong.
        wrong: String,
    },
    /// The last line, which says how many blocks there are, is missing or names another number.
    CutShort,
    /// Another format, or no part at all.
    NotAPart,
    /// Made by another build.
    OtherBuild {
        /// That build.
        theirs: String,
        /// The one that the others are of.
        ours: String,
    },
    /// Of another campaign: other seeds, other scenarios, other defects.
    OtherCampaign,
    /// Two parts say different things about the same seeds.
    Disagree {
        /// The test.
        test: String,
        /// The seeds.
        seeds: Range<u64>,
    },
}

impl fmt::Display for PartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { line, wrong } => write!(f, "line {line}: {wrong}"),
            Self::CutShort => f.write_str("it is cut short: its last line is missing"),
            Self::NotAPart => {
                f.write_str("it is no part of a campaign: expected what `explore --out` writes")
            }
            Self::OtherBuild { theirs, ours } => write!(
                f,
                "it was made by another build of linefault ({theirs}) than the others ({ours})"
            ),
            Self::OtherCampaign => f.write_str(
                "it is of another campaign than the others: other seeds, scenarios or defects",
            ),
            Self::Disagree { test, seeds } => write!(
                f,
                "it disagrees with the others about {test}, seeds {}..{}: a run was not repeatable",
                seeds.start, seeds.end
            ),
        }
    }
}

impl std::error::Error for PartError {}

impl PlanId {
    /// What a part says of a plan.
    #[must_use]
    pub fn new(test: &str, command: &str, plan: &Plan) -> Self {
        let defects = plan
            .defects()
            .iter()
            .map(|(host, defect)| format!("{host}={}\n", defect.name));
        let text = format!("{}{}", defects.collect::<String>(), plan.text());
        Self {
            test: test.to_owned(),
            hash: format!("{:016x}", xxhash_rust::xxh3::xxh3_64(text.as_bytes())),
            command: command.to_owned(),
        }
    }
}

impl Part {
    /// A part without blocks.
    #[must_use]
    pub const fn new(campaign: Campaign) -> Self {
        let blocks = BTreeMap::new();
        Self { campaign, blocks }
    }

    /// Adds what a block showed.
    pub fn add(&mut self, block: &Block, tally: Tally) {
        let key = (block.plan, block.seeds.start);
        self.blocks.insert(key, (block.seeds.clone(), tally));
    }

    /// Adds the blocks of another part.
    ///
    /// # Errors
    /// It is of another build or campaign, or says other things about the same seeds.
    pub fn merge(&mut self, other: Self) -> Result<(), PartError> {
        let (ours, theirs) = (&self.campaign, &other.campaign);
        if ours.build != theirs.build {
            return Err(PartError::OtherBuild {
                theirs: theirs.build.clone(),
                ours: ours.build.clone(),
            });
        }
        if ours != theirs {
            return Err(PartError::OtherCampaign);
        }
        for (key, block) in other.blocks {
            let known = self.blocks.get(&key);
            if known.is_some_and(|known| *known != block) {
                let test = self
                    .campaign
                    .plans
                    .get(key.0)
                    .map_or("?", |plan| &plan.test);
                return Err(PartError::Disagree {
                    test: test.to_owned(),
                    seeds: block.0,
                });
            }
            self.blocks.insert(key, block);
        }
        Ok(())
    }

    /// What all blocks of each plan showed, in the plans' order.
    #[must_use]
    pub fn tallies(&self) -> Vec<Tally> {
        let mut tallies = vec![Tally::default(); self.campaign.plans.len()];
        for ((plan, _), (_, tally)) in &self.blocks {
            if let Some(all) = tallies.get_mut(*plan) {
                all.merge(tally);
            }
        }
        tallies
    }

    /// Whether it has that block.
    #[must_use]
    pub fn has(&self, block: &Block) -> bool {
        self.blocks.contains_key(&(block.plan, block.seeds.start))
    }

    /// Where the seeds end that it has anything of.
    #[must_use]
    pub fn end(&self) -> u64 {
        let ends = self.blocks.values().map(|(seeds, _)| seeds.end);
        ends.max().unwrap_or(self.campaign.seeds.start)
    }

    /// How many seeds of how many are in it, all plans together.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        let done = self
            .blocks
            .values()
            .map(|(seeds, _)| seeds.end - seeds.start)
            .sum();
        let Range { start, end } = self.campaign.seeds;
        let plans = self.campaign.plans.len() as u64;
        (done, end.saturating_sub(start).saturating_mul(plans))
    }

    /// The file's text: a line for the campaign, one for each block, and one that ends it.
    #[must_use]
    pub fn to_jsonl(&self) -> String {
        let head = json::campaign(&self.campaign);
        let blocks = self
            .blocks
            .iter()
            .map(|((plan, _), (seeds, tally))| json::block(*plan, seeds, tally));
        let end = json::end(self.blocks.len());
        let lines = std::iter::once(head).chain(blocks).chain([end]);
        lines.map(|line| format!("{line}\n")).collect()
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// It is no part, or not all of one.
    pub fn from_jsonl(text: &str) -> Result<Self, PartError> {
        let mut lines = text.lines().enumerate();
        let (_, head) = lines.next().ok_or(PartError::NotAPart)?;
        let mut part = Self::new(json::read_campaign(head).ok_or(PartError::NotAPart)?);
        for (index, line) in lines {
            let at = |wrong| PartError::Line {
                line: index + 1,
                wrong,
            };
            let value: serde_json::Value =
                serde_json::from_str(line).map_err(|_| PartError::CutShort)?;
            if let Some(blocks) = json::read_end(&value) {
                let whole = blocks == part.blocks.len() && text.lines().count() == index + 1;
                return if whole {
                    Ok(part)
                } else {
                    Err(PartError::CutShort)
                };
            }
            let (block, tally) = json::read_block(&value).map_err(at)?;
            if block.plan >= part.campaign.plans.len() {
                return Err(at(format!("there is no plan {}", block.plan)));
            }
            part.add(&block, tally);
        }
        Err(PartError::CutShort)
    }
}
