#pragma once
// Scores: what training and evaluation report.
#include <limits>
#include <map>
#include <string>

namespace xgrad {

/// The means over the samples of an epoch of training, or of an evaluation.
struct Score {
  double loss = 0;  ///< the mean loss
  /// The share of the samples whose largest logit is at the label; NaN where the targets are no class labels,
  /// and no metric has this name.
  double accuracy = std::numeric_limits<double>::quiet_NaN();
  long samples = 0;                            ///< that the means are over
  double seconds = 0;                          ///< of training; evaluate() leaves it 0
  std::map<std::string, double> metrics = {};  ///< the means of the metrics that were asked for
};

/// One epoch, as it is reported.
struct EpochReport {
  long epoch = 0;         ///< counted from 1
  long steps = 0;         ///< taken so far in all epochs
  Score train;            ///< while it was trained: with dropout, before each step
  Score validation = {};  ///< of FitOptions::validate after the epoch; of 0 samples where there is none
  long best_epoch = 0;    ///< the best so far by FitOptions::monitor; 0: none
};

}  // namespace xgrad
