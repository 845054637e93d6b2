#pragma once
// Everything that training resumes from after an interruption, in one file.
#include <array>
#include <functional>

#include <xgrad/core/array/random.hpp>
#include <xgrad/nn/formats/checkpoint.hpp>

namespace xgrad {

/// How far a training is: steps taken in all epochs, and the sums over the epoch that it is in.
struct Progress {
  long step = 0;                               ///< taken in all epochs
  double loss = 0;                             ///< of the samples, summed
  long correct = 0;                            ///< how many samples were classified right
  long labelled = 0;                           ///< of how many whose target is a class
  long samples = 0;                            ///< all of them
  double seconds = 0;                          ///< in this epoch
  std::map<std::string, double> metrics = {};  ///< of the samples, summed
};

/// The best epoch so far, by the validation.
struct Best {
  long epoch = 0;                      ///< counted from 1; 0: none
  double value = 0;                    ///< of what is monitored
  std::vector<NamedArray> model = {};  ///< what state(model) gave then, if it is kept
};

/// What determines all that comes: training that starts from it continues bit for bit.
struct TrainingState {
  ///@{
  /// What state(model) and optimizer.state() gave.
  std::vector<NamedArray> model, optimizer;
  ///@}
  Generator generator;                       ///< the default one, of dropout
  std::array<std::uint64_t, 3> loader = {};  ///< its seed, epoch and position
  Progress progress;                         ///< how far it is
  Best best = {};                            ///< by the validation
};

/// Writes a training state as safetensors: the model's arrays as "model.…", those of the best epoch as
/// "best_model.…", the rest as metadata.
void save_training(const std::string& path, const TrainingState& state);
/// Reads what save_training wrote. Throws Error that names the file and what is wrong: counts that are
/// negative or beyond 2^53, a loss or a time that is not finite, a best epoch that is still to come, damage
/// as load_tensors notices it. It needs no limits, as there.
TrainingState load_training(const std::string& path);
/// Whether training has been saved there: false when there is no such file, or no path is given.
bool has_training(const std::string& path);

namespace detail {
/// Calls take(), which takes over what was read from the file: its Errors name the file, too.
void from_file(const std::string& path, const std::function<void()>& take);
}  // namespace detail

}  // namespace xgrad
