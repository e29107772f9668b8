"""exp50 becomes what games drive faces with: ARKit's 52 shapes, the Oculus 15 visemes, VRM 1.0 expressions."""
