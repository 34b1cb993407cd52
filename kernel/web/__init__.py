"""All that the house needs Flask for: the work of one request, who may enter, forms and pages."""
