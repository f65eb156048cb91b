//! The host's metrics.

use anyhow::Result;

use super::userlike::client;

/// The metrics at one moment, in Prometheus' text format.
#[derive(Clone, Debug)]
pub struct Metrics(String);

impl Metrics {
    /// Asks for them.
    ///
    /// # Errors
    ///
    /// Nobody answers, or not with success.
    pub async fn read(url: &str) -> Result<Self> {
        Ok(Self(client()?.get(url).send().await?.error_for_status()?.text().await?))
    }

    /// All of them.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The sum over all series of a name that carry these labels, each written
    /// as `name="value"`; 0 where there is none.
    pub fn sum(&self, name: &str, labels: &[&str]) -> f64 {
        let series = self.0.lines().filter(|line| !line.starts_with('#'));
        let series = series.filter_map(|line| line.rsplit_once(' '));
        series
            .filter(|(series, _)| series.split('{').next() == Some(name))
            .filter(|(series, _)| labels.iter().all(|label| series.contains(label)))
            .filter_map(|(_, value)| value.parse::<f64>().ok())
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_summed_by_name_and_labels() {
        let text =
            "# TYPE a counter\na{x=\"1\",y=\"1\"} 2\na{x=\"1\",y=\"2\"} 3\nab{x=\"1\"} 9\nc 4\n";
        let metrics = Metrics(text.to_owned());
        assert_eq!(metrics.sum("a", &[]), 5.0);
        assert_eq!(metrics.sum("a", &["y=\"2\""]), 3.0);
        assert_eq!(metrics.sum("c", &[]), 4.0);
        assert_eq!(metrics.sum("d", &[]), 0.0);
    }
}
