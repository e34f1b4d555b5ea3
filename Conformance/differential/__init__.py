"""Random operations that are the same for every client, and the comparison of what the clients answer.

`shape` makes collections, `values` their contents, `filters`, `formulas` and `queries` what is asked of them, `writes` what is done
to them; `sides` holds the clients, `local_mode` puts the in-process mode right, `comparison` tells answers apart, and `session` runs it all.
"""
