"""Grades of kindergartens 办园等级: the code list that officials keep, and which kindergarten holds which grade since when."""
