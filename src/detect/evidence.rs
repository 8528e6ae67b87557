//! The numbers behind an alert, and what each of them had to be.

/// What a number had to satisfy for the rule to speak.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Needs {
    /// The value is at least this.
    AtLeast(f64),
    /// The value is at most this.
    AtMost(f64),
}

impl Needs {
    /// The number that the value is held against.
    pub fn limit(self) -> f64 {
        match self {
            Self::AtLeast(limit) | Self::AtMost(limit) => limit,
        }
    }

    /// True when `value` satisfies it. NaN satisfies nothing.
    pub fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(limit) => value >= limit,
            Self::AtMost(limit) => value <= limit,
        }
    }
}

/// One named number.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Fact {
    /// Its name, part of the JSON contract.
    pub name: &'static str,
    /// The number; what a log said may be NaN.
    pub value: f64,
    /// What it had to be, if the rule asks for it.
    pub needs: Option<Needs>,
}

/// Named numbers that satisfy the rule's inequality.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Evidence {
    facts: Vec<Fact>,
}

impl Evidence {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a number that only explains.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: f64) -> Self {
        self.facts.push(Fact { name, value, needs: None });
        self
    }

    /// Adds a number that had to be at least `limit`.
    #[must_use]
    pub fn at_least(mut self, name: &'static str, value: f64, limit: f64) -> Self {
        self.facts.push(Fact { name, value, needs: Some(Needs::AtLeast(limit)) });
        self
    }

    /// Adds a number that had to be at most `limit`.
    #[must_use]
    pub fn at_most(mut self, name: &'static str, value: f64, limit: f64) -> Self {
        self.facts.push(Fact { name, value, needs: Some(Needs::AtMost(limit)) });
        self
    }

    /// Adds a number where there is one.
    #[must_use]
    pub fn maybe(self, name: &'static str, value: Option<f64>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The number of that name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.facts.iter().find(|fact| fact.name == name).map(|fact| fact.value)
    }

    /// The number of that name, NaN where there is none: for messages.
    pub fn number(&self, name: &str) -> f64 {
        self.get(name).unwrap_or(f64::NAN)
    }

    /// True when there is a number of that name.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// All numbers in the order in which they were added.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// True when every number is what the rule asks of it.
    pub fn holds(&self) -> bool {
        self.facts.iter().all(|fact| fact.needs.is_none_or(|needs| needs.holds(fact.value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_number_had_to_be_is_kept_beside_it() {
        let good = Evidence::new().at_least("rise", 0.3, 0.25).at_most("z", -2.0, -1.64).with("step", 3.0);
        assert!(good.holds());
        assert!(!good.clone().at_least("rise_sigma", f64::NAN, 5.0).holds());
        assert!(!good.clone().at_most("share", 0.2, 0.1).holds());
        assert_eq!((good.get("rise"), good.get("none")), (Some(0.3), None));
    }
}
