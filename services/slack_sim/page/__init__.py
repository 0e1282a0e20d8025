"""The page: a chat client for people, and an inspector of everything that apps call and are told."""
