"""`/console/`: the staff's pages, over the same services as the API and the command line."""
