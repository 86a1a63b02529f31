"""The Web Map Service without its HTTP: what is asked, what is told, what is drawn (OGC 01-068r3 and 06-042)."""
