"""The certificate page: data, layout, drawings and the reading back of what was drawn."""
