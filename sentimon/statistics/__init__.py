"""Pure numerics: numbers in, numbers out; no file, no clock, no row of a log. Each formula names its source.

- `intervals`: an `Estimate` is a number with its interval and sample size; Wilson, Newcombe, Student
- `distances`: how far apart two class mixes are: Wasserstein-1 with its interval, total variation
- `detectable_distance`: how far a mix has to move to be more than chance in so many rows
- `fisher_test`: is a change of a share more than chance; how alpha is spent over repeated checks
- `dispersion`: rows that come in bursts: daily wave, design effect, intraclass correlation
- `change_points`: when a step of shares, of a mean or of a rate began, with an interval
- `betting_test`: has a mean loss risen; valid after every loss (numpy, like those below)
- `calibration_error`: how far confidence lies from accuracy
- `score_scaling`: temperature and vector scaling, fitted on labelled rows
- `label_shift`: the true class mix behind imperfect predictions, and whether only the mix has changed
- `mix_decomposition`: a change taken apart: change of the traffic mix, and change within slices
- `slice_dispersion`: the design effects of such a decomposition, told from the hours of its slices
- `slice_candidates`, `slice_search`: the few slices, of many, that account for a change, by permutation
"""
