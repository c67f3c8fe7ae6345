"""Gold labels that arrive after the predictions: which to ask for, how they are kept, how they are joined.

In the order of a label's life:

- `sampling_strategies`: how much each row is worth labelling: evenly, uncertain, drifted or diverse ones
- `sampling`: draws the rows to label with known probabilities, and writes them as a sheet for annotators
- `stratified_sampling`: draws from each slice of the traffic by itself
- `label_import`: reads the labelled file: what each row says, and which logged rows it may be for
- `gold_label`: one label and its line in the file; how many rows a labelled row stands for
- `label_book`: the file of labels beside the log
- `label_join`: finds the label of a logged row: by its id, else by the hash of its text
- `label_coverage`: which rows are labelled, how late labels come, whether the labelled rows are a fair sample
"""

LABELS_FILE = "labels.jsonl"
"""The file of labels beside the log, named here so that nothing of labels is loaded where there are none."""
