"""What the tests of an application that uses rewardkit need: contracts, strategies, samples."""
