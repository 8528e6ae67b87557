//! `rl_gan`: what goes wrong where losses say nothing: reinforcement learning and adversarial training.

mod policy;
mod reward;
mod sides;

use crate::detect::{
    DetectorSpec, Scope, Threshold,
    tags::{Role, TagClass},
};

/// The rule.
pub static SPEC: DetectorSpec = DetectorSpec {
    id: "rl_gan",
    summary: "a policy collapses, or one side of an adversarial pair has won",
    advice: "Go back to the best checkpoint, lower the learning rate, and look at the reward, the entropy and the balance of the two networks.",
    clears: "half of what was lost is won back",
    traps: "rewards that depend on a curriculum; exploration that ends by plan; environments with rare rewards",
    thresholds: &[
        Threshold::new(
            reward::LOST,
            "share of the gain in reward that is lost, as medians of 5 values or a tenth of all: info",
        ),
        Threshold::new(reward::LOST_ALL, "the same, lasting for a quarter of all values: warn"),
        Threshold::new(
            policy::ENTROPY,
            "entropy as a share of its start within the first 30 % of the run: warn",
        ),
        Threshold::new(policy::KL, "approximate KL of an update, and 10 times its median, 10 in a row: warn"),
        Threshold::new(
            sides::WON,
            "loss of one side as a share of its start, with the other above 5 times its own, 100 values: warn",
        ),
    ],
    scopes: &[
        Scope::Series { judges: reward::judges_reward, build: reward::build_reward },
        Scope::Series {
            judges: |class: &TagClass| class.role == Role::Entropy,
            build: policy::build_entropy,
        },
        Scope::Series {
            judges: |class: &TagClass| class.role == Role::Optimiser,
            build: policy::build_update,
        },
        Scope::Group { judges: sides::is_side, build: || Box::new(sides::Sides::default()) },
    ],
};
